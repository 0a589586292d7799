"""Apps for the suite: opened on one storage, closed and examined after each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Protocol, TypedDict

import pytest
from typing_extensions import Unpack

