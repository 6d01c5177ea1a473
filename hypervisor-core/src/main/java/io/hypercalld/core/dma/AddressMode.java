package io.hypercalld.core.dma;

import io.hypercalld.core.p2m.DmaPermission;
import java.util.List;

/**
 * What a kernel does in one {@link DmaMode} to learn the bus address of a page of its own, or of
 * one that it has mapped of another's. Confined to the machine thread.
 *
 * <p>Bus addresses are handled as frames: shifted right by 12.
 */
public interface AddressMode {
  /** In place of a bus frame: there is none. */
  long NO_FRAME = -1;

  DmaMode mode();

  /**
   * The kernel is about to map these guest frames, one after the other; none, when it has done so.
   */
  default void expect(List<Long> gfns) {}

  /**
   * The bus frame that a device is to be told for a guest frame.
   *
   * @param permission what the device is to do there
   * @return {@link #NO_FRAME} where nothing is mapped there, or the hypervisor refused
   */
  long map(long gfn, DmaPermission permission);
}
