package io.hypercalld.core.dma;

import io.hypercalld.core.p2m.DmaPermission;

/** The hypercalls with which a kernel tells a remapping unit what its devices may use. */
public interface RemappingCalls {
  /** Most pages that one call maps or unmaps. */
  int MOST_PAGES = 256;

  /**
   * Pages of the bus and of the kernel's memory, consecutive in both.
   *
   * @param bus frame of the first as devices name it
   * @param gfn guest frame of the first
   * @param pages at least 1
   */
  record Run(long bus, long gfn, int pages) {}

  /**
   * Has a device's requests translated as is said from now on, and nothing let through before.
   *
   * @throws io.hypercalld.core.errno.Refusal as the hypercalls
   */
  void attach(DmaDevice device);

  /** Nobody says anything more: devices reach again what they did before. */
  void close();

  /**
   * Lets devices use pages.
   *
   * @param run at most {@link #MOST_PAGES}
   * @throws io.hypercalld.core.errno.Refusal as the hypercall; nothing is mapped then
   */
  void map(DmaDevice device, Run run, DmaPermission permission);

  /**
   * Forbids them again; when it returns, no device reaches them any more.
   *
   * @param run as it was mapped
   * @throws io.hypercalld.core.errno.Refusal as the hypercall
   */
  void unmap(DmaDevice device, Run run);
}
