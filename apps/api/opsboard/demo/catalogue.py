"""The demo businesses: their names, roles, machines and products."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "opsboard-demo"
SIGN_IN_ROLES = ("admin", "manager", "operator")


@dataclass(frozen=True)
class Business:
    """One business: `language` chooses its people's and customers' names, `share` its part of all jobs."""

    slug: str
    name: str
    time_zone: str
    language: str
    phone: str
    legal_forms: tuple[str, ...]
    trades: tuple[str, ...]
    share: float

    def email(self, local: str) -> str:
        return f"{local}@{self.slug}.example"


BUSINESSES = (
    Business(
        "north", "North Works", "Europe/Berlin", "de", "+49 30 555 ",
        ("GmbH", "GmbH & Co. KG", "AG", "KG"),
        ("Maschinenbau", "Anlagenbau", "Fördertechnik", "Hydraulik", "Landtechnik", "Medizintechnik", "Messtechnik",
         "Antriebstechnik", "Verpackung", "Aufzüge", "Pumpen", "Schienenfahrzeuge"),
        0.6,
    ),
    Business(
        "south", "South Fabrication", "America/New_York", "en", "+1 404 555 ",
        ("Inc.", "LLC", "Corp.", "Co."),
        ("Conveyors", "Hydraulics", "Farm Equipment", "Medical Devices", "Instruments", "Drives", "Packaging",
         "Elevators", "Pumps", "Trailers", "Marine", "Robotics"),
        0.4,
    ),
)  # fmt: skip

# Numbers of users per role beside the three that sign in. They have no password.
STAFF = {"admin": 1, "manager": 5, "operator": 25}

# Process -> what it is, its machines, and who may work on it besides an admin.
PROCESSES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Sawing": ("Cutting bar and tube to length", ("Band saw 1", "Band saw 2"), ()),
    "Laser cutting": ("Cutting sheet up to 20 mm", ("Laser 4 kW", "Laser 6 kW", "Laser 10 kW"), ()),
    "Bending": ("Bending sheet on the press brake", ("Press brake 80 t", "Press brake 160 t"), ()),
    "Turning": ("Turning on CNC lathes", ("Lathe 1", "Lathe 2", "Lathe 3", "Turn-mill centre"), ()),
    "Milling": ("Milling on three and five axes", ("Mill 3-axis 1", "Mill 3-axis 2", "Mill 5-axis"), ()),
    "Drilling": ("Drilling and tapping", ("Radial drill", "Tapping arm"), ()),
    "Welding": ("MAG and TIG welding, certified welders", ("Weld cell 1", "Weld cell 2", "Weld robot"),
                ("manager", "operator")),
    "Grinding": ("Surface and cylindrical grinding", ("Surface grinder", "Cylindrical grinder"), ()),
    "Deburring": ("Taking off burrs and sharp edges", ("Deburring line", "Tumbler"), ()),
    "Powder coating": ("Pretreatment, powder and oven", ("Coating line",), ()),
    "Assembly": ("Putting parts together", ("Assembly bench 1", "Assembly bench 2", "Assembly bench 3"), ()),
    "Final inspection": ("Measuring and release", ("Measuring machine 1", "Measuring machine 2"), ("manager",)),
}  # fmt: skip

# Process -> minutes of set-up, seconds for each piece.
TIMES = {
    "Sawing": (10, 90), "Laser cutting": (15, 45), "Bending": (25, 60), "Turning": (40, 240), "Milling": (45, 420),
    "Drilling": (10, 75), "Welding": (30, 600), "Grinding": (30, 300), "Deburring": (5, 30),
    "Powder coating": (60, 120), "Assembly": (15, 480), "Final inspection": (10, 90),
}  # fmt: skip

REASONS = (
    ("reject", "Burr", None),
    ("reject", "Scratched", "Deeper than the drawing allows"),
    ("reject", "Out of tolerance", None),
    ("reject", "Wrong material", None),
    ("reject", "Porous weld", None),
    ("stop", "No material", "The next job's material is not at the machine"),
    ("stop", "Tool broken", None),
    ("stop", "Set-up", None),
    ("hold", "Drawing unclear", "The customer has been asked"),
    ("hold", "Waiting for material", None),
)

# Has one line, so that jobs wait for it.
BOTTLENECK = "Powder coating"

HALLS = ("Hall A", "Hall B", "Hall C")
# Machines that do not run, by name; all others do.
MACHINE_STATUS = {"Laser 4 kW": "maintenance", "Tumbler": "maintenance", "Lathe 3": "inactive"}


@dataclass(frozen=True)
class Product:
    """A kind of thing ordered again and again: a job's title is the name with one of each list."""

    name: str
    treatments: tuple[str, ...]
    sizes: tuple[str, ...]
    route: tuple[str, ...]


STEEL = ("S235", "S355", "stainless 1.4301", "aluminium 5754")
BARS = ("C45", "42CrMo4", "11SMn30", "stainless 1.4305")

PRODUCTS = (
    Product("Bracket, laser cut", STEEL, ("2 mm", "3 mm", "5 mm", "8 mm"), ("Laser cutting", "Deburring")),
    Product("Gusset plate", STEEL, ("6 mm", "10 mm", "15 mm"), ("Laser cutting", "Drilling")),
    Product("Cover, bent", STEEL, ("1.5 mm", "2 mm", "3 mm"), ("Laser cutting", "Bending", "Powder coating")),
    Product("Bushing, turned", BARS, ("20 mm", "32 mm", "45 mm", "60 mm"), ("Turning", "Deburring")),
    Product("Shaft, ground", BARS, ("25 mm", "40 mm", "63 mm"),
            ("Sawing", "Turning", "Grinding", "Final inspection")),
    Product("Flange", BARS, ("DN 50", "DN 80", "DN 100"), ("Turning", "Drilling", "Final inspection")),
    Product("Spindle", BARS, ("300 mm", "450 mm", "700 mm"),
            ("Sawing", "Turning", "Milling", "Grinding", "Final inspection")),
    Product("Housing, milled", ("aluminium 7075", "cast iron GJL-250"), ("size 1", "size 2", "size 3"),
            ("Milling", "Drilling", "Final inspection")),
    Product("Clamping jaw", BARS, ("left", "right", "pair"), ("Milling", "Grinding")),
    Product("Machine base, welded", ("S235", "S355"), ("1.2 m", "1.8 m", "2.4 m"),
            ("Sawing", "Welding", "Milling", "Powder coating", "Assembly", "Final inspection")),
    Product("Guard, welded mesh", ("RAL 1003", "RAL 7035", "RAL 9005"), ("1000 x 2000", "1500 x 2000"),
            ("Sawing", "Welding", "Powder coating")),
    Product("Tank bracket, welded", STEEL, ("M8", "M10", "M12"), ("Laser cutting", "Bending", "Welding")),
)  # fmt: skip
