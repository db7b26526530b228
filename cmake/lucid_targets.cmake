# lucid_add_library(NAME SOURCES... [LINK TARGETS...] [CAF] [COLD])
#
# One target per folder. CAF marks a target whose sources include CAF: it gets the type-id checks and a
# precompiled header of CAF, which halves its compile time. COLD marks one where no time is spent at run time: it is
# optimised less, and built sooner.
function(lucid_add_library name)
  cmake_parse_arguments(arg "CAF;COLD" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC lucid_flags ${arg_LINK})
  if(arg_COLD)
    lucid_build_soon(${name})
  endif()
  if(arg_CAF)
    lucid_use_caf(${name})
  endif()
endfunction()

# lucid_build_soon(TARGET): a release of it is optimised less. g++ 12's flow warnings misfire on std::string then.
function(lucid_build_soon name)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized>>)
  set_target_properties(${name} PROPERTIES LUCID_CAF_PCH lucid_caf_pch_soon)
endfunction()

# lucid_add_caf_pch(NAME): CAF's headers, precompiled.
function(lucid_add_caf_pch name)
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE lucid_flags CAF::core)
  target_compile_definitions(${name} PRIVATE CAF_ENABLE_TYPE_ID_CHECKS)
  target_precompile_headers(${name} PRIVATE
    <caf/all.hpp> <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <vector>)
endfunction()

# lucid_use_caf(TARGET): CAF's libraries, checks and the shared precompiled header. After lucid_build_soon.
function(lucid_use_caf name)
  target_link_libraries(${name} PUBLIC CAF::core CAF::io)
  target_compile_definitions(${name} PUBLIC CAF_ENABLE_TYPE_ID_CHECKS)
  if(NOT TARGET lucid_caf_pch) # One for each level of optimisation: g++ 14 takes none of another.
    lucid_add_caf_pch(lucid_caf_pch)
    lucid_add_caf_pch(lucid_caf_pch_soon)
    lucid_build_soon(lucid_caf_pch_soon)
  endif()
  get_target_property(type ${name} TYPE)
  if(type STREQUAL EXECUTABLE)
    # Compiled as a library is, or the header would not fit: -fPIE differs from -fPIC.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  get_target_property(pch ${name} LUCID_CAF_PCH)
  if(NOT pch)
    set(pch lucid_caf_pch)
  endif()
  target_precompile_headers(${name} REUSE_FROM ${pch})
endfunction()

# lucid_add_test(NAME KIND SOURCES... [LINK TARGETS...] [CAF] [SERIAL] [TIMEOUT seconds])
#
# One Boost.Test program and one CTest entry, labelled KIND (unit, actor, integration ...). Sources are
# relative to the calling folder; the program is NAME. SERIAL keeps it from running beside another test.
function(lucid_add_test name kind)
  cmake_parse_arguments(arg "CAF;SERIAL" "TIMEOUT" "LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(LUCID_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4") # They cost a factor of 2 to 15.
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK
    LUCID_VECTORS="${PROJECT_SOURCE_DIR}/tests/vectors" LUCID_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE lucid_flags Boost::unit_test_framework ${arg_LINK})
  lucid_build_soon(${name}) # What is tested is built for speed; the test itself soon.
  if(arg_CAF)
    lucid_use_caf(${name})
  endif()
  add_test(NAME ${kind}.${name} COMMAND ${name} --log_level=message --color_output=no)
  set_tests_properties(${kind}.${name} PROPERTIES LABELS ${kind} TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
  if(LUCID_SANITIZE)
    set_tests_properties(${kind}.${name} PROPERTIES ENVIRONMENT
      "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp;UBSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/ubsan.supp:halt_on_error=1")
  endif()
  if(arg_SERIAL)
    set_tests_properties(${kind}.${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

# lucid_add_fuzzer(NAME SOURCE [LINK TARGETS...])
#
# A libFuzzer program, and a CTest entry that runs it for LUCID_FUZZ_SECONDS over its seed corpus,
# tests/fuzz/corpus/NAME. What it finds new stays in the build folder. scripts/fuzz.sh runs it longer.
set(LUCID_FUZZ_SECONDS 5 CACHE STRING "How long CTest runs each fuzz target")
function(lucid_add_fuzzer name source)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  set(corpus ${PROJECT_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${corpus})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE lucid_flags ${arg_LINK})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz.${name}
    COMMAND ${name} -max_total_time=${LUCID_FUZZ_SECONDS} -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
      ${corpus} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
