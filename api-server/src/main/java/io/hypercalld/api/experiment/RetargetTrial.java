package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.RetargetAnswer.Device;
import io.hypercalld.api.experiment.RetargetAnswer.Road;
import io.hypercalld.api.machine.DeviceInterrupt;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.machine.ServeInterrupt;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.interrupt.DestinationFormat;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.iommu.hypercall.BindPtMsiIrq;
import io.hypercalld.iommu.hypercall.MapPirq;
import io.hypercalld.iommu.interrupt.MsiSource;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import io.hypercalld.ioreq.hypercall.InjectMsi;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One device whose message goes from vCPU to vCPU on one road, as Linux has it go there: by an
 * entry of the remapping table, or by the masked entry of the function's MSI-X table. Confined to
 * the thread that runs it.
 */
final class RetargetTrial implements AutoCloseable {
  private static final Sbdf FUNCTION = new Sbdf(0, 3, 0x10, 0);
  private static final Sbdf SEEN = new Sbdf(0, 0, 4, 0);
  private static final long TABLE_OF_FUNCTION = RetargetBench.TABLES + 0x10_0000;
  private static final long HOST_TABLE = 0xf000_0000L;
  private static final long QUEUE = 0x1_0000;
  private static final long STATUS = 0x1_3000;
  private static final long ENTRIES = 0x2_0000;
  private static final int QUEUE_BYTES = 4096;
  private static final int ORDER = 8;
  private static final int INDEX = 40;
  private static final int VECTOR = 0x51;
  private static final long WINDOW = 0xfee0_0000L;

  private final Road road;
  private final Device device;
  private final RetargetBench bench;
  private final int vcpus;

  /** What the guest wrote to the MSI-X entry, as the device model keeps it. */
  private final int[] entry = new int[4];

  private int pirq;
  private int tail;
  private long hypercalls;

  RetargetTrial(Road road, Device device, int vcpus) {
    this.road = road;
    this.device = device;
    this.vcpus = vcpus;
    this.bench = new RetargetBench(road, vcpus, List.of(true));
  }

  RetargetAnswer.Cost run(int retargets) {
    enterX2apic();
    if (device == Device.PASSTHROUGH) {
      assign();
    }
    if (road == Road.VIOMMU) {
      switchOn();
      writeMessage(RemappableMessage.of(INDEX, 0).address(), 0);
    }
    retarget(0);
    bench.reset();
    hypercalls = 0;
    long before = bench.machine().interrupts().binding().rederived();
    long arrived = 0;
    for (int turn = 1; turn <= retargets; turn++) {
      int vcpu = turn % vcpus;
      retarget(vcpu);
      arrived += arrives(vcpu) ? 1 : 0;
    }
    return new RetargetAnswer.Cost(
        road,
        device,
        bench.stores(),
        bench.exits(),
        bench.ioreqs(),
        hypercalls,
        bench.machine().interrupts().binding().rederived() - before,
        arrived);
  }

  private void enterX2apic() {
    interrupts().apics().all().forEach(apic -> apic.setMode(LocalApic.Mode.X2APIC));
  }

  private DomainInterrupts interrupts() {
    return bench.guest().facet(DomainInterrupts.class);
  }

  private void assign() {
    bench
        .machine()
        .execute(new PlaceDevice(bench.guest().id(), FUNCTION, false, Optional.of(SEEN)));
    var mapped =
        bench.call(
            new MapPirq(
                bench.guest().id(),
                MapPirq.TYPE_MSI,
                -1,
                -1,
                FUNCTION.bus(),
                FUNCTION.sourceId().value() & 0xff,
                0,
                new Word(HOST_TABLE)));
    pirq = ((MapPirq.Mapped) mapped.out()).pirq();
    bind();
  }

  /** The device model tells the hypervisor what the guest wrote. */
  private void bind() {
    hypercalls++;
    bench.call(
        new BindPtMsiIrq(
            bench.guest().id(),
            pirq,
            new Word(address()),
            new Word(Integer.toUnsignedLong(entry[2])),
            new Word(TABLE_OF_FUNCTION),
            1));
  }

  private long address() {
    return Integer.toUnsignedLong(entry[0]) | Integer.toUnsignedLong(entry[1]) << Integer.SIZE;
  }

  /** Has the guest's unit remap through a table of 256 entries. */
  private void switchOn() {
    register(Register.IQA, Long.BYTES, QUEUE);
    register(Register.IRTA, Long.BYTES, InterruptTableAddress.table(ENTRIES, ORDER, true));
    register(Register.GCMD, Integer.BYTES, GlobalCommand.QIE.mask());
    register(Register.GCMD, Integer.BYTES, GlobalCommand.QIE.mask() | GlobalCommand.SIRTP.mask());
    register(Register.GCMD, Integer.BYTES, GlobalCommand.QIE.mask() | GlobalCommand.IRE.mask());
  }

  private void register(Register register, int size, long value) {
    bench.store(
        VirtualUnitSettings.USUAL_BASE.value() + register.offset(), size, value, (_, _) -> 0);
  }

  /** The guest has the message go to another vCPU. */
  private void retarget(int vcpu) {
    int id = bench.guest().settings().interrupts().apicIds().of(vcpu);
    switch (road) {
      case VIOMMU -> changeEntry(InterruptMessage.fixed(VECTOR, id));
      case EXT_DEST -> writeMessage(WINDOW | DestinationFormat.EXTENDED.inAddress(id), VECTOR);
    }
  }

  private void changeEntry(InterruptMessage message) {
    InterruptEntry changed = InterruptEntry.remapped(message, true).from(SEEN.sourceId(), 0);
    memory(ENTRIES + (long) INDEX * InterruptEntry.BYTES, changed.lo(), changed.hi());
    submit(InvalidationDescriptor.interrupts(INDEX, 0));
    submit(InvalidationDescriptor.waitWithStatus(STATUS, 1));
    register(Register.IQT, Long.BYTES, tail);
  }

  private void submit(InvalidationDescriptor descriptor) {
    memory(QUEUE + tail, descriptor.lo(), descriptor.hi());
    tail = (tail + InvalidationDescriptor.BYTES) % QUEUE_BYTES;
  }

  private void memory(long gpa, long... words) {
    for (int word = 0; word < words.length; word++) {
      bench.store(gpa + (long) word * Long.BYTES, Long.BYTES, words[word], (_, _) -> 0);
    }
  }

  /** Masks the entry of the MSI-X table, changes it, and lets it through again. */
  private void writeMessage(long address, int data) {
    control(1);
    word(0, (int) address);
    word(1, (int) (address >>> Integer.SIZE));
    word(2, data);
    control(0);
  }

  private void control(int masked) {
    word(3, masked);
  }

  private void word(int number, int value) {
    long table = device == Device.EMULATED ? RetargetBench.TABLES : TABLE_OF_FUNCTION;
    bench.store(
        table + (long) number * Integer.BYTES,
        Integer.BYTES,
        Integer.toUnsignedLong(value),
        (at, stored) -> model((int) (at - table) / Integer.BYTES, (int) stored));
  }

  /**
   * The device model keeps the word; a physical function's message it has bound when let through.
   */
  private long model(int number, int value) {
    entry[number] = value;
    if (device == Device.PASSTHROUGH && number == 3 && value == 0) {
      bind();
    }
    return 0;
  }

  /** The device interrupts; whether the vCPU alone hears of it. */
  private boolean arrives(int vcpu) {
    switch (device) {
      case EMULATED ->
          bench.call(
              new InjectMsi(
                  bench.guest().id(),
                  new Word(Integer.toUnsignedLong(entry[2])),
                  0,
                  new Word(address())));
      case PASSTHROUGH -> interruptByFunction();
    }
    List<Integer> heard =
        IntStream.range(0, vcpus)
            .filter(each -> interrupts().apics().find(each).orElseThrow().pending().isPresent())
            .boxed()
            .toList();
    for (int each : heard) {
      for (ServeInterrupt.Step step : ServeInterrupt.Step.values()) {
        bench.machine().execute(new ServeInterrupt(bench.guest().id(), each, step));
      }
    }
    return heard.equals(List.of(vcpu));
  }

  private void interruptByFunction() {
    MsiSource source =
        bench
            .machine()
            .interrupts()
            .machine()
            .messagesOf(FUNCTION)
            .getFirst()
            .message()
            .orElseThrow();
    bench
        .machine()
        .execute(
            new DeviceInterrupt(
                FUNCTION,
                PasidPrefix.NONE,
                new Word(source.message().address()),
                new Word(Integer.toUnsignedLong(source.message().data()))));
  }

  @Override
  public void close() {
    bench.close();
  }
}
