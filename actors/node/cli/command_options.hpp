// actors/node/cli/command_options.hpp - the options of a command, as it declares them. The header of CLI11, which reads them,
// costs each file that includes it four seconds; so it stands behind this one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace lucid {

/// An option or argument that was declared; belongs to the program.
class command_option {
public:
  explicit command_option(CLI::Option& declared) : declared_(&declared) {}

  command_option required() const;
  /// How help calls its value; empty: not at all.
  command_option type_name(const std::string& name) const;
  template <class Number> // int, std::uint32_t, double
  command_option between(Number least, Number most) const;
  command_option one_of(const std::vector<std::string>& words) const;
  /// May be repeated, with one value each time.
  command_option repeated() const;
  command_option excludes(command_option other) const;
  command_option excludes(const std::string& name) const;
  command_option shows_default() const;
  /// After parsing: how often it was given.
  std::size_t count() const;

private:
  CLI::Option* declared_;
};

/// The options of one command. `into` has to live until the command has run.
class command_options {
public:
  explicit command_options(CLI::App& command) : command_(&command) {}

  /// `names`: "--count", or "ID" for an argument by its place.
  template <class Value> // std::string, std::vector<std::string>, int, std::uint32_t, std::optional<std::uint64_t>
  command_option add_option(const std::string& names, Value& into, const std::string& help);
  /// "--watch{1}": what a text gets when no value is given.
  template <class Value> // bool, std::string
  command_option add_flag(const std::string& names, Value& into, const std::string& help);

private:
  CLI::App* command_;
};

} // namespace lucid
