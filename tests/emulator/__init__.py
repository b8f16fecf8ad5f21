"""What an emulator of AWS can show of the keys that this library declares."""

import pytest

# The helpers assert, too, and should say what they found.
pytest.register_assert_rewrite("tests.emulator.cloudformation", "tests.emulator.exercises")
