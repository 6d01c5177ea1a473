package io.hypercalld.core.dma;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The DMA API of a kernel whose devices name machine addresses: a buffer is used where it is,
 * unless its pages are not known to follow each other in the machine or the device cannot name
 * them. Confined to the machine thread.
 *
 * @see "Linux lib/swiotlb.c of Xen's tree, swiotlb_map_single; spec/documents.md S3-D8"
 */
public final class BouncingDma implements DmaOperations {
  private static final long IN_PAGE = PageSize.BYTES_4K - 1L;

  private final MappedPages direct = new MappedPages();
  private final AddressMode addresses;
  private final SoftwareIotlb bounces;
  private final ContiguityMap contiguity;

  public BouncingDma(AddressMode addresses, SoftwareIotlb bounces, ContiguityMap contiguity) {
    this.addresses = addresses;
    this.bounces = bounces;
    this.contiguity = contiguity;
  }

  @Override
  public void expect(List<Long> gpas) {
    addresses.expect(gpas.stream().map(gpa -> gpa >>> PageSize.SHIFT_4K).toList());
  }

  @Override
  public long map(
      DmaDevice device, long gpa, int length, DmaDirection direction, Shortage shortage) {
    long bus = busAddress(gpa, direction);
    if (isOneRun(gpa, length) && device.reaches(bus, length)) {
      direct.add(bus, length);
      return bus;
    }
    return bounce(device, gpa, length, direction, shortage);
  }

  private long busAddress(long gpa, DmaDirection direction) {
    DmaPermission permission = direction.permission();
    long frame = addresses.map(gpa >>> PageSize.SHIFT_4K, permission);
    if (frame == AddressMode.NO_FRAME) {
      throw Refusal.of(Errno.EFAULT, "nothing is at 0x%x that a device could use", gpa);
    }
    return (frame << PageSize.SHIFT_4K) + (gpa & IN_PAGE);
  }

  private boolean isOneRun(long gpa, int length) {
    int pages = (int) (((gpa & IN_PAGE) + length + IN_PAGE) >>> PageSize.SHIFT_4K);
    return pages == 1
        || addresses.mode() == DmaMode.IDENTITY
        || contiguity.isContiguous(gpa >>> PageSize.SHIFT_4K, pages);
  }

  private long bounce(
      DmaDevice device, long gpa, int length, DmaDirection direction, Shortage shortage) {
    long end = bounces.pool().end();
    if (!device.reaches(end - 1, 1)) {
      throw Refusal.of(
          Errno.EIO,
          "%s sends %d bits of an address, and bounce buffers are up to 0x%x",
          device.name(),
          device.maskBits(),
          end);
    }
    OptionalLong found = bounces.bounce(new Word(gpa), direction, length);
    return found.isPresent()
        ? found.getAsLong()
        : withoutSpace(device, length, direction, shortage);
  }

  private long withoutSpace(
      DmaDevice device, int length, DmaDirection direction, Shortage shortage) {
    if (shortage == Shortage.REFUSED) {
      throw Refusal.of(
          Errno.ENOMEM, "no bounce buffer is free for %d bytes of %s", length, device.name());
    }
    if (length > SoftwareIotlb.OVERFLOW_BYTES) {
      throw KernelPanic.of(
          direction.fromDevice()
              ? "PCI-DMA: Memory would be corrupted"
              : "PCI-DMA: Random memory would be DMAed");
    }
    return bounces.overflow();
  }

  @Override
  public void unmap(DmaDevice device, long bus, int length, DmaDirection direction) {
    if (place(bus) == Place.DIRECT) {
      direct.remove(bus, length);
    } else {
      bounces.release(bus, length, direction);
    }
  }

  @Override
  public void requireMapped(DmaDevice device, long bus, int length) {
    if (place(bus) == Place.DIRECT) {
      direct.require(bus, length);
    } else {
      bounces.requireInUse(bus, length);
    }
  }

  @Override
  public void sync(long bus, int length, DmaDirection towards) {
    switch (place(bus)) {
      case BOUNCED -> bounces.sync(bus, length, towards);
      case DIRECT -> direct.require(bus, length);
      // Nothing of it is anybody's.
      case OVERFLOW, REMAPPED -> {}
    }
  }

  @Override
  public Place place(long bus) {
    if (bounces.contains(bus)) {
      return Place.BOUNCED;
    }
    return bounces.isOverflow(bus) ? Place.OVERFLOW : Place.DIRECT;
  }

  @Override
  public boolean isMapped(long bus) {
    return place(bus) == Place.DIRECT ? direct.contains(bus) : bounces.isHandedOut(bus);
  }

  @Override
  public Optional<SoftwareIotlb> bounces() {
    return Optional.of(bounces);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("bouncing-dma").put(contiguity).put(direct).put(bounces);
  }
}
