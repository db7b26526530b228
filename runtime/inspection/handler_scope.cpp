// runtime/inspection/handler_scope.cpp - what is noted of a message before and after its handler.
#include "runtime/inspection/handler_scope.hpp"

#include <caf/scheduled_actor.hpp>

#include "runtime/inspection/message_text.hpp"

namespace lucid {

thread_local const handler_scope::owner* handler_scope::current_ = nullptr;

namespace {

caf::mailbox_element* at_hand(const observed_actor& actor) {
  return actor.self ? actor.self->current_mailbox_element() : nullptr;
}

} // namespace

// Before the handler runs: it may take the message apart.
void handler_scope::begin(std::size_t row, std::uint64_t mailbox_length) {
  auto& actor = *by_.actor;
  std::uint64_t size_bytes = 0, sender = 0;
  if (auto* element = at_hand(actor)) {
    size_bytes = message_size(element->content());
    sender = element->sender ? element->sender->id() : 0;
  }
  if (actor.tap && actor.tap->on()) [[unlikely]]
    tap(row);
  actor.stats.begin(row, mailbox_length, by_.clock->monotonic(), size_bytes, sender);
}

void handler_scope::tap(std::size_t row) const {
  auto& actor = *by_.actor;
  tapped_message tapped{{by_.clock->wall_us(), actor.stats.type_name(row), 0, {}, {}}, 0};
  if (auto* element = at_hand(actor)) {
    tapped.seen.size_bytes = message_size(element->content());
    tapped.seen.fields = message_text(element->content());
    tapped.sender = element->sender ? element->sender->id() : 0;
  }
  actor.tap->add(std::move(tapped));
}

void handler_scope::end() noexcept {
  auto& actor = *by_.actor;
  actor.stats.end(by_.clock->monotonic());
  if (std::uncaught_exceptions() > exceptions_ ||
      (actor.self && actor.self->getf(caf::abstract_actor::is_shutting_down_flag)))
    actor.failing = true;
}

} // namespace lucid
