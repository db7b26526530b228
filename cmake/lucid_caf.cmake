# Targets CAF::core and CAF::io. Debian's package of CAF 0.17.6 ships no CMake configuration.
find_path(CAF_INCLUDE_DIR caf/all.hpp REQUIRED)
file(STRINGS ${CAF_INCLUDE_DIR}/caf/config.hpp caf_version REGEX "#define CAF_VERSION [0-9]+")
if(NOT caf_version MATCHES "CAF_VERSION 1706$")
  message(FATAL_ERROR "Lucid is built on CAF 0.17.6; ${CAF_INCLUDE_DIR} has: ${caf_version}")
endif()
foreach(part core io)
  find_library(CAF_${part}_LIBRARY caf_${part} REQUIRED)
  add_library(CAF::${part} UNKNOWN IMPORTED)
  set_target_properties(CAF::${part} PROPERTIES
    IMPORTED_LOCATION ${CAF_${part}_LIBRARY}
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR})
endforeach()
target_link_libraries(CAF::core INTERFACE Threads::Threads)
target_link_libraries(CAF::io INTERFACE CAF::core)
