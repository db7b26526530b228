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
set(LUCID_NO_FLOW_WARNINGS
  -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized)
function(lucid_build_soon name)
  target_compile_options(${name} PRIVATE
    $<$<CONFIG:Release>:-O1 $<$<CXX_COMPILER_ID:GNU>:${LUCID_NO_FLOW_WARNINGS}>>)
  set_target_properties(${name} PROPERTIES LUCID_BUILT_SOON ON)
endfunction()

# lucid_build_at_once(TARGET): less still. For tests: they wait for what they test.
function(lucid_build_at_once name)
  target_compile_options(${name} PRIVATE
    $<$<CONFIG:Release>:-Og $<$<CXX_COMPILER_ID:GNU>:${LUCID_NO_FLOW_WARNINGS}>>)
endfunction()

# lucid_add_pch(NAME [CAF] [SOON|AT_ONCE] HEADERS...): a precompiled header of these, and of the standard ones that most files
# include. For targets that are compiled in the same way: g++ 14 takes none of another level of optimisation.
function(lucid_add_pch name)
  cmake_parse_arguments(arg "CAF;SOON;AT_ONCE" "" "" ${ARGN})
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE lucid_flags)
  if(arg_CAF)
    target_link_libraries(${name} PRIVATE CAF::core)
    target_compile_definitions(${name} PRIVATE CAF_ENABLE_TYPE_ID_CHECKS)
  endif()
  if(arg_SOON)
    lucid_build_soon(${name})
  elseif(arg_AT_ONCE)
    lucid_build_at_once(${name})
  endif()
  target_precompile_headers(${name} PRIVATE
    ${arg_UNPARSED_ARGUMENTS} <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <vector>)
endfunction()

# lucid_use_pch(TARGET PCH)
function(lucid_use_pch name pch)
  get_target_property(type ${name} TYPE)
  if(type STREQUAL EXECUTABLE)
    # Compiled as a library is, or the header would not fit: -fPIE differs from -fPIC.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${name} REUSE_FROM ${pch})
endfunction()

# lucid_use_caf(TARGET [PCH]): CAF's libraries, its checks and a precompiled header; PCH names another than the usual one.
# After lucid_build_soon.
function(lucid_use_caf name)
  target_link_libraries(${name} PUBLIC CAF::core CAF::io)
  target_compile_definitions(${name} PUBLIC CAF_ENABLE_TYPE_ID_CHECKS)
  if(NOT TARGET lucid_caf_pch)
    lucid_add_pch(lucid_caf_pch CAF <caf/all.hpp>)
    lucid_add_pch(lucid_caf_pch_soon CAF SOON <caf/all.hpp>)
  endif()
  get_target_property(soon ${name} LUCID_BUILT_SOON)
  if(ARGN)
    lucid_use_pch(${name} ${ARGN})
  elseif(soon)
    lucid_use_pch(${name} lucid_caf_pch_soon)
  else()
    lucid_use_pch(${name} lucid_caf_pch)
  endif()
endfunction()

# What Boost.Test consists of but for unit_test.hpp itself, which makes a program's entry by the macros of its source.
set(LUCID_TEST_HEADERS <boost/test/test_tools.hpp> <boost/test/framework.hpp> <boost/test/tree/observer.hpp>
  <boost/test/tree/test_unit.hpp> <boost/test/tree/auto_registration.hpp>)

# lucid_use_test_pch(TARGET CAF|""): the precompiled header of tests.
function(lucid_use_test_pch name caf)
  if(NOT TARGET lucid_test_pch)
    lucid_add_pch(lucid_test_pch AT_ONCE ${LUCID_TEST_HEADERS})
    lucid_add_pch(lucid_caf_test_pch CAF AT_ONCE <caf/all.hpp> ${LUCID_TEST_HEADERS})
    foreach(pch lucid_test_pch lucid_caf_test_pch)
      target_compile_definitions(${pch} PRIVATE BOOST_TEST_DYN_LINK BOOST_TEST_MAIN)
      target_link_libraries(${pch} PRIVATE Boost::unit_test_framework)
    endforeach()
  endif()
  if(caf)
    lucid_use_caf(${name} lucid_caf_test_pch)
  else()
    lucid_use_pch(${name} lucid_test_pch)
  endif()
endfunction()

# lucid_add_test(NAME KIND SOURCES... [LINK TARGETS...] [CAF] [SERIAL] [FAST] [TIMEOUT seconds])
#
# One Boost.Test program and one CTest entry, labelled KIND (unit, actor, integration ...). Sources are
# relative to the calling folder; the program is NAME. SERIAL keeps it from running beside another test. FAST marks one that
# computes much itself: it is optimised like what it tests.
function(lucid_add_test name kind)
  cmake_parse_arguments(arg "CAF;FAST;SERIAL" "TIMEOUT" "LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(LUCID_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4") # They cost a factor of 2 to 15.
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  # Boost.Test derives BOOST_TEST_MAIN from a macro of the source, which the precompiled header comes before.
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK BOOST_TEST_MAIN
    LUCID_VECTORS="${PROJECT_SOURCE_DIR}/tests/vectors" LUCID_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE lucid_flags Boost::unit_test_framework ${arg_LINK})
  if(NOT arg_FAST)
    lucid_build_at_once(${name})
    lucid_use_test_pch(${name} "${arg_CAF}")
  elseif(arg_CAF)
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
