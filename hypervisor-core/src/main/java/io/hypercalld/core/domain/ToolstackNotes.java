package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What the hypervisor keeps about a domain for the tools that manage it. Confined to the machine
 * thread.
 */
public final class ToolstackNotes implements Digestible {
  private UUID handle;
  private boolean debugged;
  private OptionalLong suspendPort = OptionalLong.empty();
  private Optional<List<E820Entry>> memoryMap = Optional.empty();
  private boolean stateChanged = true;
  private long uniqueId;

  ToolstackNotes(UUID handle) {
    this.handle = handle;
  }

  /** A number of the tools' own; not necessarily unique. */
  public UUID handle() {
    return handle;
  }

  public void setHandle(UUID newHandle) {
    handle = newHandle;
  }

  /** Whether a debugger is attached. */
  public boolean isDebugged() {
    return debugged;
  }

  public void setDebugged(boolean attached) {
    debugged = attached;
  }

  /** The event channel that tells when the domain has suspended itself; empty for none. */
  public OptionalLong suspendPort() {
    return suspendPort;
  }

  public void setSuspendPort(long port) {
    suspendPort = OptionalLong.of(port);
  }

  /** The map of the domain's addresses, as it will be told; empty where there is none. */
  public Optional<List<E820Entry>> memoryMap() {
    return memoryMap;
  }

  public void setMemoryMap(List<E820Entry> entries) {
    memoryMap = Optional.of(List.copyOf(entries));
  }

  /** A number that no other domain ever has. It counts domains and is no part of the state. */
  public long uniqueId() {
    return uniqueId;
  }

  void identify(long number) {
    uniqueId = number;
  }

  /** The domain was made, has ended or died. */
  void noteStateChange() {
    stateChanged = true;
  }

  /** Whether {@link #clearStateChange} was not called since the last change. */
  public boolean isStateChanged() {
    return stateChanged;
  }

  /** Somebody who wants to know has been told. */
  public void clearStateChange() {
    stateChanged = false;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("notes")
        .put(handle.getMostSignificantBits())
        .put(handle.getLeastSignificantBits())
        .put(debugged)
        .put(suspendPort.orElse(-1))
        .put(stateChanged)
        .put(memoryMap.map(List::size).orElse(-1));
    memoryMap.ifPresent(entries -> entries.forEach(digest::put));
  }
}
