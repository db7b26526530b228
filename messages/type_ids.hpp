// messages/type_ids.hpp - the one place where message types and the error enum are registered with CAF.
//
// The order is part of what travels between nodes of one build: append, never reorder.
#pragma once

#include <caf/error.hpp>
#include <caf/type_id.hpp>

#include "messages/audit.hpp"
#include "messages/console.hpp"
#include "messages/inspect.hpp"
#include "messages/inspection.hpp"
#include "messages/supervision.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(lucid, first_custom_type_id)

CAF_ADD_TYPE_ID(lucid, (lucid::errc))
CAF_ADD_TYPE_ID(lucid, (lucid::payload))
CAF_ADD_TYPE_ID(lucid, (lucid::fragment))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::fragment>))
CAF_ADD_TYPE_ID(lucid, (lucid::plain_chunk))
CAF_ADD_TYPE_ID(lucid, (lucid::chunk_record))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::chunk_record>))
CAF_ADD_TYPE_ID(lucid, (lucid::sealed_chunk))
CAF_ADD_TYPE_ID(lucid, (lucid::session_summary))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::session_summary>))
CAF_ADD_TYPE_ID(lucid, (lucid::signed_manifest))
CAF_ADD_TYPE_ID(lucid, (lucid::anchor_entry))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::anchor_entry>))
CAF_ADD_TYPE_ID(lucid, (lucid::block_header))
CAF_ADD_TYPE_ID(lucid, (lucid::anchor_record))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::anchor_record>))
CAF_ADD_TYPE_ID(lucid, (lucid::capture_start_request))
CAF_ADD_TYPE_ID(lucid, (lucid::capture_stop_request))
CAF_ADD_TYPE_ID(lucid, (lucid::capture_position))
CAF_ADD_TYPE_ID(lucid, (lucid::capture_end))
CAF_ADD_TYPE_ID(lucid, (lucid::journal_read_request))
CAF_ADD_TYPE_ID(lucid, (lucid::journal_page))
CAF_ADD_TYPE_ID(lucid, (lucid::journal_drop_request))
CAF_ADD_TYPE_ID(lucid, (lucid::journal_sync_request))
CAF_ADD_TYPE_ID(lucid, (lucid::chunk_finish_request))
CAF_ADD_TYPE_ID(lucid, (lucid::chunk_totals))
CAF_ADD_TYPE_ID(lucid, (lucid::session_put_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_row))
CAF_ADD_TYPE_ID(lucid, (lucid::session_update_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_get_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_list_request))
CAF_ADD_TYPE_ID(lucid, (lucid::chunk_list_request))
CAF_ADD_TYPE_ID(lucid, (lucid::manifest_put_request))
CAF_ADD_TYPE_ID(lucid, (lucid::anchor_put_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_remove_request))
CAF_ADD_TYPE_ID(lucid, (lucid::unanchored_list_request))
CAF_ADD_TYPE_ID(lucid, (lucid::manifest_build_request))
CAF_ADD_TYPE_ID(lucid, (lucid::ledger_append_request))
CAF_ADD_TYPE_ID(lucid, (lucid::ledger_status_request))
CAF_ADD_TYPE_ID(lucid, (lucid::ledger_status))
CAF_ADD_TYPE_ID(lucid, (lucid::session_stop_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_extend_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_status_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_progress))
CAF_ADD_TYPE_ID(lucid, (lucid::pipeline_trouble))
CAF_ADD_TYPE_ID(lucid, (lucid::inspection_request))
CAF_ADD_TYPE_ID(lucid, (lucid::inspection))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::inspection>))
CAF_ADD_TYPE_ID(lucid, (lucid::child_start_request))
CAF_ADD_TYPE_ID(lucid, (lucid::child_stop_request))
CAF_ADD_TYPE_ID(lucid, (lucid::child_list_request))
CAF_ADD_TYPE_ID(lucid, (std::vector<lucid::child_summary>))
CAF_ADD_TYPE_ID(lucid, (lucid::child_ack))
CAF_ADD_TYPE_ID(lucid, (lucid::session_create_request))
CAF_ADD_TYPE_ID(lucid, (lucid::session_end))
CAF_ADD_TYPE_ID(lucid, (lucid::child_action_request))
CAF_ADD_TYPE_ID(lucid, (lucid::login_link_request))
CAF_ADD_TYPE_ID(lucid, (lucid::login_link))
CAF_ADD_TYPE_ID(lucid, (lucid::audit_append_request))
CAF_ADD_TYPE_ID(lucid, (lucid::audit_entry))
CAF_ADD_TYPE_ID(lucid, (lucid::audit_read_request))
CAF_ADD_TYPE_ID(lucid, (lucid::audit_page))

CAF_END_TYPE_ID_BLOCK(lucid)

CAF_ERROR_CODE_ENUM(lucid::errc, "lucid")
