#!/bin/sh
# Remove from DIR, a site-packages folder, what no process of ours reads: some 50 of its 430 MB, beside the tests of libraries.
# Usage: trim.sh DIR
set -eu
cd "$1"

find . -type d -name tests -prune -exec rm -r {} +
rm -rf sqlalchemy/testing joblib/test numpy/_core/include honcho honcho-*.dist-info ../../../bin/honcho
# What compilers and type checkers read.
find . -type f \( -name '*.pyi' -o -name '*.px[di]' -o -name '*.pyx' -o -name '*.h' -o -name '*.hpp' -o -name '*.c' \
    -o -name '*.cpp' -o -name '*.tp' -o -name '*.in' \) -delete
# Charts are written in DejaVu Sans; without LastResort matplotlib does not start.
rm -rf matplotlib/mpl-data/sample_data
find matplotlib/mpl-data/fonts -type f ! -name 'DejaVuSans.ttf' ! -name 'DejaVuSans-Bold.ttf' ! -name 'LastResort*' -delete
