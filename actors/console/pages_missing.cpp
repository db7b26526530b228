// actors/console/pages_missing.cpp - what a program built without the pages shows in their place.
#include "actors/console/pages.hpp"

namespace lucid {
namespace {

constexpr page_file notice{
    .path = "/",
    .content_type = "text/html; charset=utf-8",
    .body = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lucid: built without pages</title>
</head>
<body>
<h1>This console was built without its pages</h1>
<p>Node.js, npm or npm's registry was not there when Lucid was built. The node runs as it should, and all that the pages show
is there in a terminal: <code>lucid top</code>.</p>
<p>To build the pages, on a machine that reaches npm's registry:</p>
<pre>scripts/install_deps.sh build
cmake --preset release
cmake --build --preset release --target lucid</pre>
<p>Then start the node again.</p>
</body>
</html>
)"};

} // namespace

std::span<const page_file> page_files() noexcept { return {&notice, 1}; }

} // namespace lucid
