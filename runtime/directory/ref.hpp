// runtime/directory/ref.hpp - a path as a place to send to: resolved at each send to the present incarnation.
#pragma once

#include <string_view>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "messages/type_ids.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/inspection/measured_response.hpp"
#include "runtime/reply.hpp"

namespace lucid {

/// Refers to the actor behind a path, whichever it is at present. Interface: a `caf::typed_actor<...>` or `caf::actor`.
///
///     ref<store_api> store(ctx.directory(), "storage/store");
///     store.request(self, 5s, chunk).then([](const chunk_record& r) {...}, [](const caf::error& e) {...});
///
/// Owns: a share of the slot, and a handle of the incarnation last used.
/// Threads: one owner; copy it for another actor.
/// Errors: a send to nobody is counted as dead letter; a request to nobody is answered with `unreachable`.
template <class Interface>
class ref {
public:
  ref() = default;
  ref(directory& names, std::string_view path) : slot_(names.slot(path)) {}
  explicit ref(slot_ptr slot) : slot_(std::move(slot)) {}

  /// The present incarnation; null when there is none. Do not keep it.
  const Interface& get() const {
    if (slot_ && slot_->generation() != generation_) [[unlikely]]
      resolve();
    return handle_;
  }

  bool reachable() const { return static_cast<bool>(get()); }
  const slot_ptr& slot() const noexcept { return slot_; }

  /// Sends `xs...`. False: nobody was there.
  template <caf::message_priority Priority = caf::message_priority::normal, class Self, class... Ts>
  bool send(Self&& self, Ts&&... xs) const {
    const Interface& to = get();
    if (!to) [[unlikely]] {
      lost();
      return false;
    }
    self->template send<Priority>(to, std::forward<Ts>(xs)...);
    return true;
  }

  /// Sends `xs...` from outside of any actor. False: nobody was there.
  template <class... Ts>
  bool send_anonymous(Ts&&... xs) const {
    const Interface& to = get();
    if (!to) {
      lost();
      return false;
    }
    caf::anon_send(to, std::forward<Ts>(xs)...);
    return true;
  }

  /// Asks, and measures the handlers given to `.then` and `.await` as part of the asking actor's time.
  template <caf::message_priority Priority = caf::message_priority::normal, class Self, class Duration, class... Ts>
  auto request(Self&& self, Duration timeout, Ts&&... xs) const {
    const Interface& to = get();
    auto* asking = &*self;
    using response = decltype(asking->template request<Priority>(to, timeout, std::forward<Ts>(xs)...));
    if (to) [[likely]]
      return measured_response<response>(asking->template request<Priority>(to, timeout, std::forward<Ts>(xs)...));
    lost();
    auto id = asking->new_request_id(Priority).response_id();
    asking->eq_impl(id, asking->ctrl(), asking->context(), to_caf(nobody()));
    return measured_response<response>(response(id, asking));
  }

private:
  void resolve() const {
    auto now = slot_->present();
    handle_ = now.actor ? caf::actor_cast<Interface>(now.actor) : Interface();
    generation_ = now.generation;
  }

  void lost() const {
    if (slot_) slot_->count_dead_letter();
  }

  error nobody() const {
    return {errc::unreachable, slot_ ? slot_->path() : "ref", "nobody is there at present; ask again later", nullptr};
  }

  slot_ptr slot_;
  mutable Interface handle_{};
  mutable std::uint64_t generation_ = 0; ///< Slots start at 1: the first use resolves.
};

} // namespace lucid
