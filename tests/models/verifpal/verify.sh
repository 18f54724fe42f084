#!/usr/bin/env bash
# Asks Verifpal for the verdict on every model and every variant of one, and compares it with the one that stands in it.
#
# A variant is a sed script over its base, with its base, what it shows and its verdict in its head; a mutant must lose
# what its base has. SKIP where there is no Verifpal: cargo install --locked --ignore-rust-version verifpal@1.6.7
set -eu

cd "$(dirname "$0")"
if ! command -v verifpal >/dev/null 2>&1; then
    echo "SKIP the models of the cryptography: there is no verifpal on this machine"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# field FILE NAME: what the head of a model or variant says.
field() {
    sed -n "s/^\(#\|\/\/\) $2: *//p" "$1" | head -n 1
}

# make NAME: puts the model of that name into the folder, by way of its bases.
make() {
    if [ -e "$1.vp" ]; then
        cp "$1.vp" "$folder/$1.vp"
        return
    fi
    local base
    base=$(field "variants/$1.sed" base)
    [ -n "$base" ] || { echo "FAIL $1: it names no base" && exit 1; }
    make "$base"
    sed -f "variants/$1.sed" "$folder/$base.vp" >"$folder/$1.vp"
    if cmp -s "$folder/$base.vp" "$folder/$1.vp"; then
        echo "FAIL $1: it changes nothing in $base"
        exit 1
    fi
}

# verdict_of NAME: the verdict that a model or variant expects.
verdict_of() {
    if [ -e "$1.vp" ]; then field "$1.vp" expect; else field "variants/$1.sed" expect; fi
}

names=${*:-$(for file in *.vp variants/*.sed; do basename "${file%.*}"; done)}
models=0 mutants=0 failed=0
for name in $names; do
    make "$name"
    wanted=$(verdict_of "$name")
    seen=$(verifpal verify --quiet --result-code "$folder/$name.vp" | tail -n 1)
    case $name in mutant_*) mutants=$((mutants + 1)) ;; *) models=$((models + 1)) ;; esac
    if [ "$wanted" = "$seen" ]; then
        echo "ok   $name: $seen"
    else
        echo "FAIL $name: $seen, expected $wanted"
        failed=$((failed + 1))
    fi
done

echo "figures models.verifpal: models with their verdict $models; mutants that fail as they must $mutants; others $failed;"
if [ -n "${ROHRPOST_FIGURES:-}" ] && [ "$failed" = 0 ] && [ $# = 0 ]; then
    mkdir -p "$ROHRPOST_FIGURES"
    row() { printf '{"label":"%s","value":%d,"unit":""}' "$1" "$2"; }
    printf '{"name":"models.verifpal","rows":[%s,%s],"seed":null}' \
        "$(row 'models with their verdict' "$models")" \
        "$(row 'mutants that fail as they must' "$mutants")" >"$ROHRPOST_FIGURES/models.verifpal.json"
fi
[ "$failed" = 0 ]
