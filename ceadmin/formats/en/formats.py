"""English dates without a.m. and p.m.; numbers as Django's English has them."""

DATE_FORMAT = "j F Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
#: The product's own: a moment to the second (`ceadmin.ui.absolute`).
MOMENT_FORMAT = "j F Y, H:i:s"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
