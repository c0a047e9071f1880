"""What every test may ask for: real storage servers and archives made by the format's own packagers."""

import hypothesis

pytest_plugins = [
    "luml_lite.testing",
    "tests.system.faults.fixtures",
    "tests.packagers.fixtures",
    "tests.servers.fixtures",
]

hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no defect
hypothesis.settings.load_profile("unhurried")
