// tests/isolation/planted/not_alone.hpp - leaves <string> to whoever includes it: the check must find that.
#pragma once

inline std::string not_alone() { return {}; }
