// runtime/inspection/message_text.cpp - the vocabulary's types by their run-time type, each with its two inspectors.
#include "runtime/inspection/message_text.hpp"

#include <typeinfo>
#include <unordered_map>

#include <caf/type_erased_tuple.hpp>

#include "messages/capsule.hpp"
#include "messages/type_ids.hpp"
#include "runtime/inspection/field_writer.hpp"

namespace lucid {
namespace {

struct known_type {
  std::uint64_t (*size)(const void*);
  void (*write)(field_writer&, const void*);
};

template <class T>
known_type known() {
  return {[](const void* x) {
            size_counter counter;
            counter(*static_cast<const T*>(x));
            return counter.bytes();
          },
          [](field_writer& into, const void* x) { into.element(*static_cast<const T*>(x)); }};
}

using known_types = std::unordered_map<const std::type_info*, known_type>;

template <caf::type_id_t... Offsets>
known_types all_of(std::integer_sequence<caf::type_id_t, Offsets...>) {
  using block = caf::id_block::lucid;
  return {{&typeid(typename caf::type_by_id<static_cast<caf::type_id_t>(block::begin + Offsets)>::type),
           known<typename caf::type_by_id<static_cast<caf::type_id_t>(block::begin + Offsets)>::type>()}...};
}

const known_type* find(const std::type_info* type) {
  using block = caf::id_block::lucid;
  static const auto all = [] {
    auto types = all_of(std::make_integer_sequence<caf::type_id_t, block::end - block::begin>());
    types.emplace(&typeid(std::string), known<std::string>());
    types.emplace(&typeid(std::uint64_t), known<std::uint64_t>());
    return types;
  }();
  auto at = all.find(type);
  return at == all.end() ? nullptr : &at->second;
}

// CAF numbers its own types and names the others by their type_info.
const known_type* find(const caf::type_erased_tuple& message, std::size_t at) {
  auto [number, type] = message.type(at);
  if (number == caf::type_nr<std::string>::value) return find(&typeid(std::string));
  if (number == caf::type_nr<std::uint64_t>::value) return find(&typeid(std::uint64_t));
  return type ? find(type) : nullptr;
}

} // namespace

std::uint64_t message_size(const caf::type_erased_tuple& message) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < message.size(); ++i)
    if (auto* type = find(message, i)) bytes += type->size(message.get(i));
  return bytes;
}

std::string message_text(const caf::type_erased_tuple& message) {
  field_writer writer(tapped_fields_bytes_max);
  for (std::size_t i = 0; i < message.size(); ++i)
    if (auto* type = find(message, i)) type->write(writer, message.get(i));
  return std::move(writer).take();
}

} // namespace lucid
