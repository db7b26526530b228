#!/usr/bin/env python3
# tests/isolation/headers_alone.py - compiles each header of ours alone, with the flags of a source beside it.
"""Usage: headers_alone.py SOURCE_DIR BUILD_DIR [--jobs N] [HEADER...]

Reads BUILD_DIR/compile_commands.json. Without HEADER: every header below messages, adapters, runtime and actors.
A header takes the flags of the source of its name, else of one in its folder, else of one above it.
A header that is the first thing its own source includes needs no trial: the build has made it.
What passed is remembered in BUILD_DIR/headers_alone.json, and tried again when it or anything of ours that it
includes has changed, or its flags.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

LAYERS = ("messages", "adapters", "runtime", "actors")


def flags_by_source(source_dir, build_dir):
    """Compiler and flags of each source, without what names input, output and dependencies."""
    flags = {}
    for entry in json.loads((build_dir / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.suffix != ".cpp" or not path.is_relative_to(source_dir):
            continue
        words = shlex.split(entry["command"])
        # A launcher such as ccache stands before the compiler; its own flags begin with the first dash after it.
        start = next(i for i, w in enumerate(words) if w.rsplit("/", 1)[-1].startswith(("c++", "g++", "clang++", "x86_64", "aarch64")))
        kept, skip = [], False
        for word in words[start:]:
            if skip:
                skip = False
            elif word in ("-o", "-c", "-MT", "-MF"):
                skip = word != "-c"
            elif word != "-MD" and not word.endswith(".cpp"):
                kept.append(word)
        flags[path.relative_to(source_dir)] = (kept, entry["directory"])
    return flags


def flags_for(header, flags):
    twin = header.with_suffix(".cpp")
    if twin in flags:
        return flags[twin]
    folder = header.parent
    while folder != folder.parent:
        beside = sorted(s for s in flags if s.parent == folder)
        if beside:
            return flags[beside[0]]
        folder = folder.parent
    return None


def is_proved(source_dir, header, flags):
    """Whether the build itself compiles the header first of all in a source of its name."""
    twin = header.with_suffix(".cpp")
    if twin not in flags:
        return False
    first = re.search(r'^\s*#\s*include\s*["<]([^">]+)[">]', (source_dir / twin).read_text(errors="replace"), re.MULTILINE)
    return first is not None and first[1] == str(header)


def fingerprint(source_dir, header, found):
    """Digest of the flags and of all our headers that this one reaches."""
    seen, waiting = set(), [header]
    while waiting:
        at = waiting.pop()
        if at in seen or not (source_dir / at).is_file():
            continue
        seen.add(at)
        text = (source_dir / at).read_text(errors="replace")
        waiting += [pathlib.Path(name) for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE)]
    digest = hashlib.sha256(" ".join(found[0]).encode())
    for at in sorted(seen):
        digest.update(str(at).encode() + (source_dir / at).read_bytes())
    return digest.hexdigest()


def compile_alone(source_dir, header, found):
    words, directory = found
    name = header if header.is_absolute() else source_dir / header
    result = subprocess.run(words + ["-fsyntax-only", "-x", "c++", "-"], input=f'#include "{name}"\n', cwd=directory,
                            capture_output=True, text=True, check=False)
    return header, result.returncode, result.stderr


def main(arguments):
    jobs, names = os.cpu_count() or 1, []
    if "--help" in arguments or len(arguments) < 2:
        print(__doc__)
        return 0 if "--help" in arguments else 2
    source_dir, build_dir = (pathlib.Path(a).resolve() for a in arguments[:2])
    rest = iter(arguments[2:])
    for word in rest:
        if word == "--jobs":
            jobs = int(next(rest))
        else:
            names.append(pathlib.Path(word))
    flags = flags_by_source(source_dir, build_dir)
    all_headers = sorted(h.relative_to(source_dir) for layer in LAYERS for h in (source_dir / layer).rglob("*.hpp"))
    headers = names or [h for h in all_headers if not is_proved(source_dir, h, flags)]
    found = {h: flags_for(h if not h.is_absolute() else pathlib.Path("messages/planted.hpp"), flags) for h in headers}
    # A folder that the build does not know yet has no flags to compile with.
    unbuilt = [h for h in headers if found[h] is None]
    for header in unbuilt:
        print(f"headers_alone: no source beside {header}: it belongs to no target")
    failures = len(unbuilt)
    memory = build_dir / "headers_alone.json"
    passed = json.loads(memory.read_text()) if memory.exists() else {}
    prints = {h: fingerprint(source_dir, h, found[h]) for h in headers if found[h]}
    changed = [h for h in prints if passed.get(str(h)) != prints[h]]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for header, code, text in pool.map(lambda h: compile_alone(source_dir, h, found[h]), changed):
            passed[str(header)] = prints[header] if code == 0 else ""
            if code != 0:
                failures += 1
                print(f"headers_alone: {header} does not compile alone:\n" + "\n".join(text.splitlines()[:8]))
    memory.write_text(json.dumps(passed, indent=1))
    print(f"headers_alone: {len(names or all_headers)} headers, {len(headers)} without a source of their own, {len(changed)} compiled, {failures} failures")
    return 1 if failures or not headers else 0


sys.exit(main(sys.argv[1:]))
