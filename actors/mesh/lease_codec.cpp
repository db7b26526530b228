// actors/mesh/lease_codec.cpp - version, head, then three lists, each led by its length.
#include "actors/mesh/lease_codec.hpp"

#include <algorithm>
#include <optional>

#include "actors/format/little_endian.hpp"

namespace lucid {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t head_bytes = 1 + 8 + 8 + 8;

// Of each item beside its role's letters.
constexpr std::size_t name_bytes = 1 + 1;
constexpr std::size_t ask_bytes = name_bytes + 8 + 1;
constexpr std::size_t release_bytes = name_bytes + 8;
constexpr std::size_t answer_bytes = name_bytes + 1 + 8 + 8 + 8 + 8;
static_assert(head_bytes + 3 + leases_max * (ask_bytes + release_bytes + answer_bytes + 3 * lease_role_bytes_max) <=
              lease_message_bytes_max);

std::size_t size_of(const lease_message& m) {
  auto size = head_bytes + 3;
  for (auto& x : m.asks) size += ask_bytes + x.lease.role.size();
  for (auto& x : m.releases) size += release_bytes + x.lease.role.size();
  for (auto& x : m.answers) size += answer_bytes + x.lease.role.size();
  return size;
}

void put_name(field_writer& to, const lease_name& lease) {
  to.put(static_cast<std::uint8_t>(lease.role.size())).put(as_bytes(lease.role)).put(static_cast<std::uint8_t>(lease.place));
}

template <class Item>
std::vector<Item> in_order(std::vector<Item> items) {
  std::ranges::sort(items, {}, &Item::lease);
  return items;
}

tl::unexpected<error> refused(errc code, std::string what) { return fail(code, "lease message", std::move(what)); }

/// Takes fields off the front; the first failure stays.
class bounded_reader {
public:
  explicit bounded_reader(byte_view bytes) : rest_(bytes) {}

  template <class T>
  T get() {
    if (rest_.size() < sizeof(T)) {
      broken_ = broken_ ? broken_ : errc::truncated;
      return {};
    }
    auto value = field_reader(rest_).get<T>();
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  lease_name get_name() {
    auto length = get<std::uint8_t>();
    if (length > lease_role_bytes_max) return spoil();
    if (rest_.size() < length) {
      broken_ = broken_ ? broken_ : errc::truncated;
      return {};
    }
    lease_name name{std::string(as_text(rest_.first(length))), 0};
    rest_ = rest_.subspan(length);
    name.place = get<std::uint8_t>();
    return is_sound(name) ? name : spoil();
  }
  std::uint64_t get_number(std::uint64_t least) {
    auto number = get<std::uint64_t>();
    if (number < least || number > lease_number_max) spoil();
    return number;
  }
  lease_name spoil() {
    broken_ = broken_ ? broken_ : errc::invalid_input;
    return {};
  }
  [[nodiscard]] std::optional<errc> broken() const { return broken_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
  byte_view rest_;
  std::optional<errc> broken_;
};

/// A list in rising order of its leases. False: broken, or too long.
template <class Item>
void get_list(bounded_reader& from, std::vector<Item>& into, auto&& get_item) {
  std::size_t count = from.get<std::uint8_t>();
  if (count > leases_max) from.spoil();
  for (std::size_t i = 0; i < count && !from.broken(); ++i) {
    auto item = get_item();
    if (!into.empty() && into.back().lease >= item.lease) from.spoil();
    into.push_back(std::move(item));
  }
}

} // namespace

byte_buffer encode_lease_message(const lease_message& m) {
  byte_buffer bytes(size_of(m));
  field_writer to(bytes);
  to.put(version).put(m.incarnation).put(m.sequence).put(m.list_version);
  to.put(static_cast<std::uint8_t>(m.asks.size()));
  for (auto& x : in_order(m.asks)) {
    put_name(to, x.lease);
    to.put(x.number).put(static_cast<std::uint8_t>(x.held));
  }
  to.put(static_cast<std::uint8_t>(m.releases.size()));
  for (auto& x : in_order(m.releases)) {
    put_name(to, x.lease);
    to.put(x.number);
  }
  to.put(static_cast<std::uint8_t>(m.answers.size()));
  for (auto& x : in_order(m.answers)) {
    put_name(to, x.lease);
    to.put(static_cast<std::uint8_t>(x.verdict)).put(x.number).put(x.highest).put(x.incarnation).put(x.sequence);
  }
  return bytes;
}

outcome<lease_message> decode_lease_message(byte_view bytes) {
  if (bytes.size() > lease_message_bytes_max) return refused(errc::limit_exceeded, "longer than 24 KiB");
  bounded_reader from(bytes);
  if (from.get<std::uint8_t>() != version && !from.broken()) return refused(errc::unsupported, "its version is not 1");
  lease_message m;
  m.incarnation = from.get<std::uint64_t>();
  m.sequence = from.get<std::uint64_t>();
  m.list_version = from.get<std::uint64_t>();
  get_list(from, m.asks, [&] {
    lease_ask x{from.get_name(), from.get_number(1), false};
    auto held = from.get<std::uint8_t>();
    if (held > 1) from.spoil();
    x.held = held == 1;
    return x;
  });
  get_list(from, m.releases, [&] { return lease_release{from.get_name(), from.get_number(1)}; });
  get_list(from, m.answers, [&] {
    lease_answer x;
    x.lease = from.get_name();
    auto verdict = from.get<std::uint8_t>();
    if (verdict > static_cast<std::uint8_t>(lease_verdict_last)) from.spoil();
    x.verdict = static_cast<lease_verdict>(verdict);
    x.number = from.get_number(1);
    x.highest = from.get_number(0);
    x.incarnation = from.get<std::uint64_t>();
    x.sequence = from.get<std::uint64_t>();
    return x;
  });
  if (auto why = from.broken()) {
    return *why == errc::truncated ? refused(*why, "it ends before its last field")
                                   : refused(*why, "a name, number, verdict, length or order that no encoder writes");
  }
  if (!from.at_end()) return refused(errc::invalid_input, "bytes after the last field");
  return m;
}

} // namespace lucid
