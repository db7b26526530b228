# Language level, warnings, sanitizers and the compiler cache: what every target is built with.
option(LUCID_TESTS "Build the tests" ON)
option(LUCID_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(LUCID_BENCH "Build the benchmarks" OFF)
set(LUCID_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, comma separated")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# Assertions state our own mistakes and stay on in a release.
string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
# What is hot runs in libraries of C and assembler: -O3 gains nothing here, and takes half as long again to build.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

# What every target of ours links: warnings are errors in our own code, not in system headers.
add_library(lucid_flags INTERFACE)
target_include_directories(lucid_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(lucid_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wunused
  -Woverloaded-virtual -Wnull-dereference -Wformat=2
  $<$<CONFIG:Release>:-Wno-null-dereference>)
# From g++ 13 on these misfire on what is inlined from std::vector; g++ 12 and clang keep them.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  target_compile_options(lucid_flags INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

if(LUCID_FUZZ)
  # Coverage feedback and both sanitizers in every library that a fuzz target reaches.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

if(LUCID_SANITIZE)
  add_compile_options(-fsanitize=${LUCID_SANITIZE} -fno-omit-frame-pointer)
  # CAF calls through types that its headers and its library see differently; it is not ours to mend.
  if(LUCID_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr) # Behind the flag that switches it on, or it does nothing.
  endif()
  add_link_options(-fsanitize=${LUCID_SANITIZE})
  # GCC's flow warnings misfire on instrumented code.
  target_compile_options(lucid_flags INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-null-dereference -Wno-tsan>)
endif()

find_program(LUCID_CCACHE ccache)
if(LUCID_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need the two sloppiness flags to be cached at all. By the compiler's own list of dependencies, what is
  # not cached yet is not preprocessed twice.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=true CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    ${LUCID_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
