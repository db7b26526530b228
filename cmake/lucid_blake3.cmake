# Target lucid_blake3_c: the official C implementation of BLAKE3 with every SIMD variant.
# Debian 13 packages it as a library; Debian 12 only ships its C sources, inside the Rust crate.
pkg_check_modules(blake3 IMPORTED_TARGET libblake3)
if(blake3_FOUND)
  add_library(lucid_blake3_c ALIAS PkgConfig::blake3)
  return()
endif()

file(GLOB blake3_crates /usr/share/cargo/registry/blake3-*/c)
if(NOT blake3_crates)
  message(FATAL_ERROR "BLAKE3: neither libblake3-dev nor librust-blake3-dev is installed; run scripts/install_deps.sh")
endif()
list(SORT blake3_crates COMPARE NATURAL ORDER DESCENDING)
list(GET blake3_crates 0 blake3_dir)

add_library(lucid_blake3_c STATIC
  ${blake3_dir}/blake3.c ${blake3_dir}/blake3_dispatch.c ${blake3_dir}/blake3_portable.c)
target_include_directories(lucid_blake3_c SYSTEM PUBLIC ${blake3_dir})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  enable_language(ASM)
  target_sources(lucid_blake3_c PRIVATE
    ${blake3_dir}/blake3_sse2_x86-64_unix.S ${blake3_dir}/blake3_sse41_x86-64_unix.S
    ${blake3_dir}/blake3_avx2_x86-64_unix.S ${blake3_dir}/blake3_avx512_x86-64_unix.S)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_sources(lucid_blake3_c PRIVATE ${blake3_dir}/blake3_neon.c)
  target_compile_definitions(lucid_blake3_c PRIVATE BLAKE3_USE_NEON=1)
endif()
