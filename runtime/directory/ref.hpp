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
  ref(directory& names, std::string_view path) : ref(names.slot(path)) {}
  explicit ref(slot_ptr slot) : slot_(std::move(slot)), generation_at_(slot_->generation_at()) {}

  /// The present incarnation; null when there is none. Do not keep it.
  const Interface& get() const {
    present();
    return handle_;
  }

  bool reachable() const { return static_cast<bool>(get()); }
  const slot_ptr& slot() const noexcept { return slot_; }

  /// Sends `xs...`. False: nobody was there.
  template <caf::message_priority Priority = caf::message_priority::normal, class Self, class... Ts>
  bool send(Self&& self, Ts&&... xs) const {
    if (!present()) [[unlikely]] {
      lost();
      return false;
    }
    self->template send<Priority>(handle_, std::forward<Ts>(xs)...);
    return true;
  }

  /// Sends `xs...` from outside of any actor. False: nobody was there.
  template <class... Ts>
  bool send_anonymous(Ts&&... xs) const {
    if (!present()) {
      lost();
      return false;
    }
    caf::anon_send(handle_, std::forward<Ts>(xs)...);
    return true;
  }

  /// Asks, and measures the handlers given to `.then` and `.await` as part of the asking actor's time.
  template <caf::message_priority Priority = caf::message_priority::normal, class Self, class Duration, class... Ts>
  auto request(Self&& self, Duration timeout, Ts&&... xs) const {
    auto* asking = &*self;
    using response = decltype(asking->template request<Priority>(handle_, timeout, std::forward<Ts>(xs)...));
    if (present()) [[likely]]
      return measured_response<response>(asking->template request<Priority>(handle_, timeout, std::forward<Ts>(xs)...));
    lost();
    auto id = asking->new_request_id(Priority).response_id();
    asking->eq_impl(id, asking->ctrl(), asking->context(), to_caf(nobody()));
    return measured_response<response>(response(id, asking));
  }

private:
  // One load and one comparison, as long as nothing changed.
  bool present() const {
    if (generation_at_->load(std::memory_order_acquire) == generation_) [[likely]]
      return true;
    return resolve();
  }

  bool resolve() const {
    if (!slot_) return false;
    auto now = slot_->present();
    handle_ = now.actor ? caf::actor_cast<Interface>(now.actor) : Interface();
    generation_ = handle_ ? now.generation : 0; // Nobody there: look again next time.
    return generation_ != 0;
  }

  void lost() const {
    if (slot_) slot_->count_dead_letter();
  }

  error nobody() const {
    return {errc::unreachable, slot_ ? slot_->path() : "ref", "nobody is there at present; ask again later", nullptr};
  }

  static inline const std::atomic<std::uint64_t> nowhere_{1};

  slot_ptr slot_;
  const std::atomic<std::uint64_t>* generation_at_ = &nowhere_; ///< Inside the slot, which lives as long as this.
  mutable std::uint64_t generation_ = 0;                        ///< Of handle_; 0: none. Slots start at 1.
  mutable Interface handle_{};
};

} // namespace lucid
