// messages/standby.hpp - what a node is told beforehand, so that it can record on when the recorder is lost.
#pragma once

#include "messages/identity.hpp"
#include "messages/pipeline.hpp"

namespace lucid {

/// A session that runs on another node, with all that is needed to begin it anew.
struct standby_plan {
  node_id recorder{};
  session_id session{};
  session_create_request wish; ///< With its password: kept in memory alone, and wiped. Length: what was asked for in all.
  unix_time_us created_us = 0;
  session_id goes_on_from{};   ///< An earlier session of the same recorder, which its process left behind; zero: none.
};

/// Know of this session from now on. Idempotent: a later plan of the same session replaces it.
struct standby_put_request {
  standby_plan plan;
};

/// The session is over, or is not to be gone on with.
struct standby_drop_request {
  node_id recorder{};
  session_id session{};
};

/// A process of the recorder has ended amid this session: its plan is needed there to go on with it.
struct standby_return_request {
  node_id recorder{};
  session_id session{};
};

/// A plan for its recorder.
struct standby_returned_plan {
  standby_plan plan;           ///< Without its password:
  byte_buffer sealed_password; ///< That, sealed to the recorder's box key (crypto_box_seal).
};

/// How many sessions of the asker are known after its request.
struct standby_status {
  std::uint32_t plan_count = 0;
};

} // namespace lucid
