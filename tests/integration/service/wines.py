"""A wine of the data set, as requests carry it."""

import asyncio
import gzip
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any
import aiohttp
import joblib
import numpy as np
import pytest
from pytest_aiohttp.plugin import AiohttpClient
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from tests.integration.service.conftest import SHIPPED, Client, metrics
from wine_slo.config.environment import ServerSettings
from wine_slo.server import create_app
from wine_slo.service.metrics.instruments import Cells, ServerInstruments
from wine_slo.service.model import model_file, training
from wine_slo.service.model.classifier import Engine
from wine_slo.service.model.features import NAMES, WineSample
from wine_slo.service.predictor import Predictor


WINES = load_wine()


VALUES = [float(value) for value in WINES.data[0]]


WINE = dict(zip(NAMES, VALUES, strict=True))


ROW = ",".join(map(str, VALUES))
