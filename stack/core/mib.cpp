// SPDX-License-Identifier: Apache-2.0
#include "stack/core/mib.h"

namespace nicroscope::net {

std::string Mib::proc_net_snmp() const {
  std::string text;
  for (std::size_t first = 0; first < kMibNames.size();) {
    const std::string_view group = kMibNames[first].group;
    std::string names(group);
    std::string values(group);
    names += ':';
    values += ':';
    for (; first < kMibNames.size() && kMibNames[first].group == group; ++first) {
      (names += ' ') += kMibNames[first].name;
      (values += ' ') += std::to_string(values_[first]);
    }
    text += names + '\n' + values + '\n';
  }
  return text;
}

}  // namespace nicroscope::net
