// Calls of DynamoDB's API about tables and replicas that several commands make.
// Threads: one.  Errors: as in client.h.
#pragma once

#include <boost/json/object.hpp>

#include <map>
#include <optional>
#include <string>

#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"

namespace meridian::cli {

// The "Table" of DescribeTable; empty when there is none of that name.
std::optional<boost::json::object> describe(TableApi& api, const std::string& name);

// Region -> what the table says of its replica there; empty for a table of one region.
std::map<std::string, boost::json::object> replicas_of(const boost::json::object& table);

// CreateTable in the first of the regions and replicas in the others, as far as they are missing (which
// `create` has to allow), until all are ACTIVE.
void make_table(const Deployment& deployment, const CreateOptions& create);

// UpdateTable with one ReplicaUpdate, tried again while the regions have not found each other.
// `action`: Create or Delete.
void update_replica(const Endpoints& home, const std::string& name, const char* action,
                    const std::string& region);

}  // namespace meridian::cli
