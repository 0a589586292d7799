"""The pytest plugin of hephaestus-core.

It lies beside `hephaestus`, because pytest imports every plugin at its start: what lies within
`hephaestus` cannot be imported without all of it, and a test run that uses no fixture of ours shall
not pay for that.
"""
