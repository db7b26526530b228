// messages/type_ids.cpp - compiles the registrations and interfaces once, so that a broken one fails here.
#include "messages/blobs_api.hpp"
#include "messages/mesh_api.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/replication_api.hpp"
#include "messages/storage_api.hpp"
#include "messages/tor_api.hpp"
