"""What every test may ask for: real storage servers and archives made by the format's own packagers."""

pytest_plugins = ["luml_lite.testing", "tests.packagers.fixtures", "tests.servers.fixtures"]
