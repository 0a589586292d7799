"""Programs that the `dramatiq` command runs while a contender is measured."""
