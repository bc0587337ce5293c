"""Every text table of the shared data, read without touching an option."""

import json
from pathlib import Path

import pytest

from hydroml.application.ports.tables import IncomingFile, View
from hydroml.domain.sources import ColumnType, ImportOptions, Table
from tests.shared_data import SHARED, needs_shared_data
from tests.tables import QuietMonitor, Workshop

SPECTRUM = SHARED / "csv_samples" / "csv_spectrum"
pytestmark = needs_shared_data

LETTERS = {
    "i": ColumnType.INTEGER,
    "n": ColumnType.NUMBER,
    "t": ColumnType.TEXT,
    "d": ColumnType.DATE,
    "T": ColumnType.TIMESTAMP,
}
TABLES = [
    ("bike_sharing/day.csv", 731, "idiiiiiiinnnniii"),
    ("birdstrikes/birdstrikes.csv", 10000, "tttdttttttiiii"),
    ("california_housing/housing.csv", 20640, "nnnnnnnnnt"),
    ("camels_fr/A273011002.csv", 7305, "dnnnin"),
    ("camels_fr/E645651001.csv", 7305, "dnnnin"),
    ("camels_fr/J421191001.csv", 7305, "dnnnin"),
    ("camels_fr/X031001001.csv", 7305, "dnnnin"),
    ("camels_fr/Y643401001.csv", 7305, "dnnnin"),
    ("camels_fr/basins.csv", 5, "ttnnnnnni"),
    ("camels_us/attributes.csv", 671, "tttnnnnnnntnntnnnnnnnnnnnnnnnnnnntntnnnnnnnnnnnnnnnnnnnnntnn"),
    ("camels_us/daily.csv", 4749, "tdnnnnnnnnnt"),
    ("camels_us/raw/01022500_lump_cida_forcing_leap.txt", 1461, "ittinnnnnnn"),
    ("camels_us/raw/01022500_streamflow_qc.txt", 1096, "tittnt"),
    ("camels_us/raw/01547700_lump_cida_forcing_leap.txt", 1096, "ittinnnnnnn"),
    ("camels_us/raw/01547700_streamflow_qc.txt", 1096, "tittnt"),
    ("camels_us/raw/02064000_lump_cida_forcing_leap.txt", 1096, "ittinnnnnnn"),
    ("camels_us/raw/02064000_streamflow_qc.txt", 1096, "tittnt"),
    ("camels_us/raw/03015500_lump_cida_forcing_leap.txt", 1096, "ittinnnnnnn"),
    ("camels_us/raw/03015500_streamflow_qc.txt", 1096, "tittnt"),
    ("camels_us/raw/camels_hydro.txt", 671, "tnnnnnnnnnnnnn"),
    ("climate_series/co2-concentration.csv", 741, "dnn"),
    ("climate_series/co2_mauna_loa_weekly.csv", 2284, "dn"),
    ("climate_series/elnino.csv", 61, "innnnnnnnnnnn"),
    ("climate_series/global-temp.csv", 144, "in"),
    ("climate_series/nile.csv", 100, "ii"),
    ("climate_series/sunspots.csv", 309, "in"),
    ("climate_series/us_macrodata.csv", 203, "iinnnnnnnnnnnn"),
    ("csv_samples/readr/challenge.csv", 2000, "nd"),
    ("csv_samples/readr/fwf-sample.txt", 3, "tttt"),
    ("csv_samples/readr/massey-rating.txt", 10, "iiiiiiiiiiitt"),
    ("csv_samples/readr/mini-gapminder-asia.csv", 6, "tinin"),
    ("csv_samples/readr/mini-gapminder-europe.csv", 6, "tinin"),
    ("csv_samples/readr/mtcars.csv", 32, "nininnniiii"),
    ("csv_samples/readr/whitespace-sample.txt", 3, "tttt"),
    ("diamonds/diamonds.csv.gz", 53940, "ntttnninnn"),
    ("fivethirtyeight/airline-safety.csv", 56, "tiiiiiii"),
    ("fivethirtyeight/bad-drivers.csv", 51, "tniiiinn"),
    ("fivethirtyeight/drug-use-by-age.csv", 17, "tinnnnnnnnnnnnnnnnnnnnnnnnnn"),
    ("fivethirtyeight/recent-grads.csv", 173, "iitiiitniiiiiiniiiiii"),
    ("fivethirtyeight/us_weather_KSEA.csv", 365, "diiiiiiiiinnn"),
    ("flights/flights-2k.csv", 2000, "Tiitt"),
    ("ggplot2_small/economics.csv", 574, "dninni"),
    ("ggplot2_small/huron.csv", 98, "ini"),
    ("ggplot2_small/mpg.csv", 234, "ttniittiitt"),
    ("ggplot2_small/msleep.csv", 83, "tttttnnnnnn"),
    ("ggplot2_small/seals.csv", 1155, "nnnn"),
    ("ggplot2_small/txhousing.csv", 8602, "tiiinninn"),
    ("groundwater_pastas/evap_nb1.csv", 13476, "dn"),
    ("groundwater_pastas/head_nb1.csv", 644, "dn"),
    ("groundwater_pastas/joined_daily.csv", 13476, "dnnn"),
    ("groundwater_pastas/rain_nb1.csv", 13454, "dn"),
    ("metric_reference/hydroerr_pairs.csv", 6, "nn"),
    ("penguins/penguins.csv", 344, "ttnniiti"),
    ("penguins/penguins_raw.csv", 344, "tittttttdnniitnnt"),
    ("pmlb/201_pol.csv.gz", 15000, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"),
    ("pmlb/537_houses.csv", 20640, "nnnnnnnnn"),
    ("pmlb/574_house_16H.csv.gz", 22784, "nnnnnnnnnnnnnnnnn"),
    ("pmlb/adult.csv.gz", 48842, "nininiiiiinnnii"),
    ("pmlb/banana.csv", 5300, "nnn"),
    ("pmlb/car.csv", 1728, "iiiiiii"),
    ("pmlb/credit_g.csv", 1000, "iniiniiniininiininiii"),
    ("pmlb/kr_vs_kp.csv", 3196, "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"),
    ("pmlb/mushroom.csv", 8124, "iiiiiiiiiiiiiiiiiiiiiii"),
    ("pmlb/phoneme.csv", 5404, "nnnnni"),
    ("pmlb/wine_quality_white.csv", 4898, "nnnnnnnnnnni"),
    ("usgs_nwis/RDB1Example.rdb", 31, "ttdit"),
    ("usgs_nwis/peaks.rdb", 20, "ttdtitntttttt"),
    ("usgs_nwis/ratings.rdb", 11, "nnt"),
    ("usgs_nwis/site.rdb", 2, "ttttnnttnntt"),
    ("usgs_nwis/stats_daily.rdb", 2164, "tttitiiiiiininnnnnnnnnni"),
    (
        "water_quality_portal/samples_results.csv",
        67,
        "ttttttttttttttttttiittnntnntttttttttttttttttttttttdtttttttttttttittttttttttttttttttttttttttttttttttttttttttttttttntttttttttttttttttntttnttttttttttttttttdtttttttttttttttttttttttttdit",
    ),
    (
        "water_quality_portal/wqp3_results.csv",
        5,
        "tttttttttttttttttiitttnntnntittttttttttnnttnntttttdttdtttttttttttttttttttttttttttttttttttttttttttttttttttttttttttitttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt",
    ),
    ("water_quality_portal/wqp_results.csv", 5, "ttttttdttdtttttttttttttttttttttttittttttttttttttttttttttttttttt"),
    ("water_quality_portal/wqp_sites.csv", 5, "tttttttntttnnintttitnttttitttttttttt"),
    ("weather_us/seattle-weather.csv", 1461, "dnnnnt"),
    ("weather_us/weather.csv", 2922, "tdnnnnt"),
]


@pytest.mark.parametrize(("name", "rows", "types"), TABLES, ids=[name for name, _, _ in TABLES])
def test_a_table_is_read_as_it_is_meant(workshop: Workshop, name: str, rows: int, types: str) -> None:
    files = [IncomingFile(SHARED / name, Path(name).name)]
    out, rejected = workshop.folder / "out.parquet", workshop.folder / "rejected.parquet"
    written = workshop.engine.import_files(files, ImportOptions(), out, rejected, QuietMonitor())
    assert (written.rows, written.rejected) == (rows, 0)
    assert [column.type for column in written.columns] == [LETTERS[letter] for letter in types]
    shown = workshop.engine.detect(files, ImportOptions())
    assert (shown.questions, shown.rejected) == ((), 0)
    again = workshop.engine.import_files(files, shown.options, out, rejected, QuietMonitor())
    assert (again.columns, again.rows) == (written.columns, written.rows)


def test_codes_of_missing_values_are_proposed_and_not_applied(workshop: Workshop) -> None:
    file = SHARED / "pmlb" / "adult.csv.gz"
    shown = workshop.engine.detect([IncomingFile(file, file.name)], ImportOptions())
    assert [(m.text, m.columns, m.applied) for m in shown.missing] == [("99999.0", ("capital-gain",), False)]


def test_a_class_named_none_stays(workshop: Workshop) -> None:
    _, table = workshop.imported((SHARED / "birdstrikes" / "birdstrikes.csv").read_bytes())
    view = View(table, filter="\"Effect Amount of damage\" = 'None'")
    assert workshop.engine.page(view, 0, 1).total == 8_939


@pytest.mark.parametrize("name", sorted(file.stem for file in (SPECTRUM / "csvs").glob("*.csv")))
def test_csv_spectrum(workshop: Workshop, name: str) -> None:
    """As text, every cell is what the collection says; an empty one is missing."""
    expected = json.loads((SPECTRUM / "json" / f"{name}.json").read_text(encoding="utf-8"))
    content = (SPECTRUM / "csvs" / f"{name}.csv").read_bytes()
    options = ImportOptions(types=dict.fromkeys(expected[0], ColumnType.TEXT))
    table: Table = workshop.imported(content, options=options)[1]
    assert workshop.rows(table) == [{key: value or None for key, value in row.items()} for row in expected]
