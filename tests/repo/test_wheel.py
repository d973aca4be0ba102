"""What is installed is whole: the wheel holds every file of the package, translations and pages among them."""

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_every_file_of_the_package() -> None:
    files = {path for path in (ROOT / "wine_slo").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    packed = {ROOT / each.distribution_path for each in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert ROOT / "wine_slo" / "locale" / "ru" / "LC_MESSAGES" / "wine_slo.mo" in files
    assert files - packed == set()
