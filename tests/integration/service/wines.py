"""A wine of the data set in each form that a request may carry."""

from sklearn.datasets import load_wine

from wine_slo.service.model.features import NAMES

WINES = load_wine()
VALUES = [float(value) for value in WINES.data[0]]
WINE = dict(zip(NAMES, VALUES, strict=True))
ROW = ",".join(map(str, VALUES))
