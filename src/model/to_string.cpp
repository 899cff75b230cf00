// SPDX-License-Identifier: Apache-2.0
#include "model/snapshot.hpp"

// No default in these switches: the compiler names the place when an enumerator is added.
namespace twtrace::model {

const char* to_string(Group group) {
  switch (group) {
    case Group::kProcess:
      return "process";
    case Group::kPid:
      return "pid";
    case Group::kService:
      return "service";
    case Group::kPort:
      return "port";
    case Group::kPeer:
      return "peer";
    case Group::kNetns:
      return "netns";
  }
  return "unknown";
}

const char* to_string(Role role) {
  switch (role) {
    case Role::kServer:
      return "server";
    case Role::kClient:
      return "client";
  }
  return "unknown";
}

const char* to_string(Attribution attribution) {
  switch (attribution) {
    case Attribution::kCloser:
      return "closer";
    case Attribution::kCgroup:
      return "cgroup";
    case Attribution::kNone:
      return "none";
  }
  return "unknown";
}

const char* to_string(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kCreated:
      return "created";
    case Event::Kind::kOverflow:
      return "overflow";
    case Event::Kind::kNoMemory:
      return "no_memory";
    case Event::Kind::kRemoved:
      return "removed";
    case Event::Kind::kNoPort:
      return "no_port";
    case Event::Kind::kResetSent:
      return "reset_sent";
    case Event::Kind::kResetReceived:
      return "reset_received";
    case Event::Kind::kResetFelt:
      return "reset_felt";
    case Event::Kind::kQueueDrop:
      return "queue_drop";
  }
  return "unknown";
}

const char* to_string(Event::Substate substate) {
  switch (substate) {
    case Event::Substate::kFinWait2:
      return "fin_wait2";
    case Event::Substate::kTimeWait:
      return "time_wait";
  }
  return "unknown";
}

const char* to_string(Event::Reason reason) {
  switch (reason) {
    case Event::Reason::kUnknown:
      return "unknown";
    case Event::Reason::kExpired:
      return "expired";
    case Event::Reason::kReused:
      return "reused";
    case Event::Reason::kRecycled:
      return "recycled";
    case Event::Reason::kPurged:
      return "purged";
    case Event::Reason::kAvoidable:
      return "avoidable";
    case Event::Reason::kRefused:
      return "refused";
    case Event::Reason::kLate:
      return "late";
    case Event::Reason::kAborted:
      return "aborted";
    case Event::Reason::kClosedPort:
      return "closed_port";
    case Event::Reason::kOther:
      return "other";
  }
  return "unknown";
}

const char* to_string(Forecast::State state) {
  switch (state) {
    case Forecast::State::kUnknown:
      return "unknown";
    case Forecast::State::kSteady:
      return "steady";
    case Forecast::State::kFilling:
      return "filling";
    case Forecast::State::kDraining:
      return "draining";
    case Forecast::State::kFull:
      return "full";
  }
  return "unknown";
}

const char* to_string(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::kFull:
      return "full";
    case Trouble::Kind::kQueue:
      return "queue";
    case Trouble::Kind::kPorts:
      return "ports";
    case Trouble::Kind::kRefused:
      return "refused";
  }
  return "unknown";
}

const char* to_string(Log::Kind kind) {
  switch (kind) {
    case Log::Kind::kFile:
      return "file";
    case Log::Kind::kJournal:
      return "journal";
  }
  return "unknown";
}

}  // namespace twtrace::model
