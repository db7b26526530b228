// actors/node/cli/command_options.cpp - by CLI11.
#include "actors/node/cli/command_options.hpp"

#include <CLI/CLI.hpp>

namespace lucid {

command_option command_option::required() const { return command_option(*declared_->required()); }
command_option command_option::type_name(const std::string& name) const { return command_option(*declared_->type_name(name)); }

template <class Number>
command_option command_option::between(Number least, Number most) const {
  return command_option(*declared_->check(CLI::Range(least, most)));
}
template command_option command_option::between(int, int) const;
template command_option command_option::between(std::uint32_t, std::uint32_t) const;
template command_option command_option::between(double, double) const;

command_option command_option::one_of(const std::vector<std::string>& words) const {
  return command_option(*declared_->check(CLI::IsMember(words)));
}
command_option command_option::repeated() const { return command_option(*declared_->allow_extra_args(false)); }
command_option command_option::excludes(command_option other) const { return command_option(*declared_->excludes(other.declared_)); }
command_option command_option::excludes(const std::string& name) const { return command_option(*declared_->excludes(name)); }
command_option command_option::shows_default() const { return command_option(*declared_->capture_default_str()); }
std::size_t command_option::count() const { return declared_->count(); }

template <class Value>
command_option command_options::add_option(const std::string& names, Value& into, const std::string& help) {
  return command_option(*command_->add_option(names, into, help));
}
template command_option command_options::add_option(const std::string&, std::string&, const std::string&);
template command_option command_options::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template command_option command_options::add_option(const std::string&, int&, const std::string&);
template command_option command_options::add_option(const std::string&, std::uint32_t&, const std::string&);
template command_option command_options::add_option(const std::string&, std::optional<std::uint64_t>&, const std::string&);

template <class Value>
command_option command_options::add_flag(const std::string& names, Value& into, const std::string& help) {
  return command_option(*command_->add_flag(names, into, help));
}
template command_option command_options::add_flag(const std::string&, bool&, const std::string&);
template command_option command_options::add_flag(const std::string&, std::string&, const std::string&);

} // namespace lucid
