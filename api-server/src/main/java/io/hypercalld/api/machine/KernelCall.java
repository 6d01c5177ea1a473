package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.dma.DmaOperations.Shortage;
import io.hypercalld.core.kernel.CoherentBuffer;
import io.hypercalld.core.kernel.ContiguousRegions;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a driver wants of its kernel.
 *
 * @see "Linux Documentation/core-api/dma-api.rst"
 */
public sealed interface KernelCall {
  /**
   * A device of the driver's.
   *
   * @param maskBits bits of a bus address that it can send
   */
  record Device(Sbdf sbdf, int maskBits) {
    public DmaDevice described() {
      return new DmaDevice(sbdf.toString(), maskBits);
    }
  }

  /** A buffer of the driver's, by guest-physical address, or one on the bus. */
  record Range(Word address, int length) {}

  /**
   * What the driver got.
   *
   * @param addresses on the bus
   * @param memory guest-physical address
   */
  record Given(List<Bus> addresses, Optional<Word> memory) {
    static final Given NOTHING = new Given(List.of(), Optional.empty());

    static Given address(long bus, int length) {
      return new Given(List.of(new Bus(new Word(bus), length)), Optional.empty());
    }
  }

  /** A part of the bus. */
  record Bus(Word bus, int length) {}

  /** The device that it is about. */
  default Optional<Device> device() {
    return Optional.empty();
  }

  /** One that is about a device. */
  sealed interface ForDevice extends KernelCall {
    Device of();

    @Override
    default Optional<Device> device() {
      return Optional.of(of());
    }
  }

  /**
   * Has it done.
   *
   * @throws io.hypercalld.core.errno.Refusal with nothing changed
   * @throws io.hypercalld.core.dma.KernelPanic where the kernel is dead now
   */
  Given on(RunningKernel kernel);

  /** {@code dma_map_single}. */
  record MapSingle(Device of, Range buffer, DmaDirection direction) implements ForDevice {
    @Override
    public Given on(RunningKernel kernel) {
      long gpa = buffer.address.value();
      long bus = kernel.map(of.described(), gpa, buffer.length, direction, Shortage.UNCHECKED);
      return Given.address(bus, buffer.length);
    }
  }

  /** {@code dma_map_sg}. */
  record MapList(Device of, List<Range> buffers, DmaDirection direction) implements ForDevice {
    public MapList {
      buffers = List.copyOf(buffers);
    }

    @Override
    public Given on(RunningKernel kernel) {
      List<Long> found =
          kernel.map(
              of.described(),
              buffers.stream()
                  .map(one -> new RunningKernel.Buffer(one.address.value(), one.length))
                  .toList(),
              direction);
      List<Bus> addresses = new ArrayList<>();
      for (int i = 0; i < buffers.size(); i++) {
        addresses.add(new Bus(new Word(found.get(i)), buffers.get(i).length));
      }
      return new Given(addresses, Optional.empty());
    }
  }

  /**
   * {@code dma_unmap_single} and {@code dma_unmap_sg}: in order, up to the first that is refused.
   */
  record Unmap(Device of, List<Range> buffers, DmaDirection direction) implements ForDevice {
    public Unmap {
      buffers = List.copyOf(buffers);
    }

    @Override
    public Given on(RunningKernel kernel) {
      kernel.unmap(
          of.described(),
          buffers.stream()
              .map(one -> new RunningKernel.Buffer(one.address.value(), one.length))
              .toList(),
          direction);
      return Given.NOTHING;
    }
  }

  /** {@code dma_sync_single_for_cpu} or {@code _for_device}. */
  record Sync(Range buffer, DmaDirection towards) implements KernelCall {
    @Override
    public Given on(RunningKernel kernel) {
      kernel.sync(buffer.address.value(), buffer.length, towards);
      return Given.NOTHING;
    }
  }

  /** {@code dma_alloc_coherent}. */
  record AllocateCoherent(Device of, int length) implements ForDevice {
    @Override
    public Given on(RunningKernel kernel) {
      CoherentBuffer buffer = kernel.coherent().allocate(of.described(), length);
      return new Given(
          List.of(new Bus(new Word(buffer.bus()), PageSize.BYTES_4K << buffer.order())),
          Optional.of(new Word(buffer.gfn().value() << PageSize.SHIFT_4K)));
    }
  }

  /** {@code dma_free_coherent}. */
  record FreeCoherent(Gfn gfn) implements KernelCall {
    @Override
    public Given on(RunningKernel kernel) {
      kernel.coherent().free(gfn);
      return Given.NOTHING;
    }
  }

  /** {@code xen_create_contiguous_region}, or its contrary. */
  record Region(Gfn first, int order, ContiguousRegions.AddressBits limit, boolean contiguous)
      implements KernelCall {
    @Override
    public Given on(RunningKernel kernel) {
      if (contiguous) {
        kernel.regions().create(first, order, limit);
      } else {
        kernel.regions().destroy(first, order);
      }
      return Given.NOTHING;
    }
  }
}
