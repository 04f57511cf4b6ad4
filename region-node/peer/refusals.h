// What a region answers when it cannot make or give up a replica: AWS's error type and text.
// Pure.  Threads: any.
#pragma once

#include <string>

#include "region-node/store/store.h"
#include "rpc/messages.h"

namespace meridian::peer {

rpc::Refusal validation_refusal(std::string message);
rpc::Refusal in_use_refusal(std::string message);
// Answered as a 503, which every SDK tries again.
rpc::Refusal unavailable_refusal(std::string message);

rpc::Refusal create_refusal(store::ControlError error, const std::string& table);
rpc::Refusal drop_refusal(store::ControlError error, const std::string& table);

}  // namespace meridian::peer
