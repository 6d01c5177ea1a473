package io.hypercalld.api.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.AccessViommu;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.machine.ViommuChoices;
import io.hypercalld.api.machine.WriteGuestMemory;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/** A guest that commands a unit of its own, and the devices that it may have behind it. */
final class GuestWithUnit implements AutoCloseable {
  static final List<Sbdf> DEVICES = List.of(Sbdf.parse("0000:03:10.0"), Sbdf.parse("0000:03:10.2"));

  /** Where the guest sees the first of them, on its bus 0. */
  static final int FIRST_SLOT = 4;

  static final long PAGE_BYTES = 0x1000;

  /** Guest frame of the first page that requests are about. */
  static final int FIRST_PAGE = 0x400;

  /** Guest address of the unit's queue, of one page. */
  static final long QUEUE = 0x1_0000;

  private static final int QUEUE_TAIL = 0x88;
  private static final long ON_DEMAND = 0x1_0000;

  private final Machine machine;
  private DomainId id = DomainId.INVALID;
  private int tail;

  GuestWithUnit(String platform) {
    machine = new Machine(PlatformSource.named(platform).load().platform());
  }

  /** Makes the guest, without devices. */
  void begin(VirtualUnitSettings unit) {
    id =
        machine
            .execute(
                new ComposeDomain(
                    Optional.empty(),
                    Optional.empty(),
                    DomainType.HVM,
                    16L << 20,
                    1,
                    MemoryPolicies.usual(),
                    new ViommuChoices(Optional.of(unit), Optional.empty())))
            .id();
  }

  Machine machine() {
    return machine;
  }

  DomainId id() {
    return id;
  }

  Domain domain() {
    return machine.hypervisor().domains().byId(id);
  }

  /** Gives it a device. */
  void assign(int device) {
    Optional<Sbdf> place = Optional.of(new Sbdf(0, 0, FIRST_SLOT + device, 0));
    assertThat(machine.execute(new PlaceDevice(id, DEVICES.get(device), false, place)).ret())
        .isZero();
  }

  void balloonOut(Gfn gfn) {
    var call = new DecreaseReservation(id, GuestFrames.of(gfn), Optional.empty(), 0, new Word(0));
    assertThat(machine.call(DomainId.DOM0, call).ret()).isEqualTo(1);
  }

  void balloonIn(Gfn gfn) {
    var call = new PopulatePhysmap(id, GuestFrames.of(gfn), Optional.empty(), 0, new Word(0));
    assertThat(machine.call(DomainId.DOM0, call).ret()).isEqualTo(1);
  }

  /**
   * Has a guest frame populated where the guest first touches it, from a page put aside for that;
   * false where that is refused, as it is where the guest has devices.
   */
  boolean populateOnDemand(Gfn gfn) {
    long pages = domain().reservation().totalPages();
    var call =
        new PopulatePhysmap(id, GuestFrames.of(gfn), Optional.empty(), 0, new Word(ON_DEMAND));
    if (machine.call(DomainId.DOM0, call).ret() == 0) {
      return false;
    }
    assertThat(machine.call(DomainId.DOM0, new SetPodTarget(id, pages + 1, 0)).ret()).isZero();
    return true;
  }

  /** Tries to swap the frame behind a guest frame, which only domains that know theirs can. */
  void exchange(Gfn gfn) {
    var frames =
        new Exchange.Reservation(id, GuestFrames.of(gfn), Optional.empty(), 0, new Word(0));
    assertThat(machine.call(DomainId.DOM0, new Exchange(frames, frames, 0, 0)).ret()).isNegative();
  }

  /** Has the unit carry out a descriptor of 128 or 256 bits, as its queue is set. */
  void submit(long... descriptor) {
    store(QUEUE + tail, descriptor);
    tail = (int) ((tail + (long) descriptor.length * Long.BYTES) % PAGE_BYTES);
    register(QUEUE_TAIL, 8, tail);
  }

  void register(int offset, int size, long value) {
    machine.execute(new AccessViommu(id, new Word(offset), size, Optional.of(new Word(value))));
  }

  void store(long gpa, long... words) {
    ByteBuffer bytes =
        ByteBuffer.allocate(words.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long word : words) {
      bytes.putLong(word);
    }
    machine.execute(new WriteGuestMemory(id, new Word(gpa), new HexBytes(bytes.array())));
  }

  long load(long gpa) {
    return number(machine.hypervisor().guestMemory().read(domain(), gpa, Long.BYTES));
  }

  /** Guest address of a page that requests are about, which is its device's address of it, too. */
  static long address(int page) {
    return (FIRST_PAGE + page) * PAGE_BYTES;
  }

  /** Of eight bytes. */
  static long number(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  static HexBytes bytes(long number) {
    return new HexBytes(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array());
  }

  @Override
  public void close() {
    machine.close();
  }
}
