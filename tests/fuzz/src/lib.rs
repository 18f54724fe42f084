//! Hostile bytes for every decoder, as fuzz targets and as seeded tests.
