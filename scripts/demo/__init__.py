"""The demo: a file of orders goes through a workflow, and the world outside plays its part.

Read `workflow.py` first: it is what you would write. `services.py` stands for what its steps
call, `people.py` for those who pay, approve, cancel and repair, `display.py` for your eyes.
"""
