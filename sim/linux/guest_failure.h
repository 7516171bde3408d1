// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace nicroscope::uml {

/// A guest did what none should: it ended, broke a protocol, or says nothing any more. One line.
class GuestFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The wait for a guest, which may well live, was given up.
class WaitEnded : public GuestFailure {
 public:
  using GuestFailure::GuestFailure;
};

}  // namespace nicroscope::uml
