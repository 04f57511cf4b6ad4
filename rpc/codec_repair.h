// Codec of what regions say to each other when they compare and repair: rpc/repair.h <-> the wire.
// Threads, errors: as rpc/codec.h.  Limits: rpc/repair.h, checked on arrival.
#pragma once

#include "rpc/codec.h"
#include "rpc/repair.h"

namespace meridian::rpc {

RepairRequest read_repair_request(wire::RepairRequest::Reader in);
void write_repair_request(const RepairRequest& value, wire::RepairRequest::Builder out);

// Throws CodecError when the answer is to another question than the one asked.
RepairAnswer read_repair_answer(wire::RepairAnswer::Reader in);
void write_repair_answer(const RepairAnswer& value, wire::RepairAnswer::Builder out);

// First-segment sizes that hold a message without another allocation.
capnp::MessageSize size_hint(const RepairRequest& value);
capnp::MessageSize size_hint(const RepairAnswer& value);

}  // namespace meridian::rpc
