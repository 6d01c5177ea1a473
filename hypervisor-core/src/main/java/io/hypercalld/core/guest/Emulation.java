package io.hypercalld.core.guest;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.P2mType;

/** Who answers guests' accesses where no memory does. */
public interface Emulation {
  /** With nobody there: reads are all ones, writes are dropped. */
  Emulation UNCLAIMED =
      access ->
          P2mType.IOREQ.contains(access.type())
              // The server that wrote-protected the page is gone: its release is awaited.
              ? new Again("no server has the page")
              : new Completed(-1);

  /**
   * One access, or the part of one that lies in one page.
   *
   * @param gpa guest-physical address of the first byte
   * @param size bytes, at most 8
   * @param data what is written; of no meaning for a read
   * @param type the page's
   */
  record MmioAccess(
      Domain domain, int vcpu, long gpa, int size, boolean writes, long data, P2mType type) {}

  /** What became of it. */
  sealed interface Answer {}

  /**
   * It is complete.
   *
   * @param data what was read
   */
  record Completed(long data) implements Answer {}

  /** It is complete, and what was written went nowhere. */
  record Dropped() implements Answer {}

  /** The vCPU waits for an emulator's answer. */
  record Waiting(int server, long request) implements Answer {}

  /** The vCPU is to try again. */
  record Again(String why) implements Answer {}

  /** The emulator cannot be reached: the vCPU gets a general protection fault. */
  record Unhandled(String why) implements Answer {}

  Answer access(MmioAccess access);

  /** An access for which somebody had to be waited for is complete. */
  default void completed(MmioAccess access) {}
}
