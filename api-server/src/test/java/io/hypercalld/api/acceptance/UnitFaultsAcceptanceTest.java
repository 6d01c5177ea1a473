package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.READ;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.Register;
import java.util.stream.Stream;

/** Fault recording of the model unit, over HTTP: spec/vtd.md 1.7, 7.5. */
final class UnitFaultsAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final int RECORDS = 8;
  private static final long UNMAPPED = 0x7000;

  @Override
  public BareUnit start() {
    return BareUnit.model();
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(event(), overflow(), status(), suppression()).flatMap(rows -> rows);
  }

  private static Stream<Row<BareUnit>> event() {
    return Stream.of(
        row(
            "B65 a first fault is recorded, and pending while masked",
            it -> {
              fault(it);

              assertThat(it.record(0).isPending()).isTrue();
              assertThat(isSet(it, FaultStatus.PPF.mask())).isTrue();
              assertThat(FaultStatus.FRI.get(it.read(Register.FSTS))).isZero();
              assertThat(it.isSet(Register.FECTL, EventControl.IP)).isTrue();
              assertThat(messages(it)).isZero();
            }),
        row(
            "B66 unmasking sends the message",
            it -> {
              it.offline(2);
              it.write(Register.FEADDR, 0xfee0_2000L);
              it.write(Register.FEDATA, 0x35);
              fault(it);
              assertThat(it.waiting(2)).isEmpty();

              it.write(Register.FECTL, 0);

              assertThat(messages(it)).isEqualTo(1);
              assertThat(it.waiting(2)).containsExactly(0x35);
              assertThat(it.isSet(Register.FECTL, EventControl.IP)).isFalse();
            }),
        row(
            "B67 a second fault is recorded next and is no new event",
            it -> {
              it.write(Register.FECTL, 0);
              faults(it, 2);

              assertThat(it.record(1).isPending()).isTrue();
              assertThat(FaultStatus.FRI.get(it.read(Register.FSTS))).isZero();
              assertThat(messages(it)).isEqualTo(1);
            }),
        row(
            "B76 a condition cleared while masked takes its message along",
            it -> {
              fault(it);

              it.clearRecord(0);

              assertThat(it.isSet(Register.FECTL, EventControl.IP)).isFalse();
              it.write(Register.FECTL, 0);
              assertThat(messages(it)).isZero();
            }),
        row(
            "1.7 a record names requester, page, direction and reason",
            it -> {
              it.map(0x5000, it.newPage(), READ);

              assertThat(it.dmaWrite(0x5004, 1).fault()).isEqualTo(5);

              assertThat(it.record(0))
                  .isEqualTo(
                      FaultRecord.dma(X, 0x5000, DmaAccess.WRITE, FaultReason.WRITE_NOT_PERMITTED));
              assertThat(it.listing("faults").get(0).get("sbdf").asText())
                  .isEqualTo("0000:03:10.2");
            }));
  }

  private static Stream<Row<BareUnit>> overflow() {
    return Stream.of(
        row(
            "B68 a fault without a record overflows, and that is no new event",
            it -> {
              it.write(Register.FECTL, 0);
              faults(it, RECORDS);
              assertThat(isSet(it, FaultStatus.PFO.mask())).isFalse();

              fault(it);

              assertThat(isSet(it, FaultStatus.PFO.mask())).isTrue();
              assertThat(it.listing("faults")).hasSize(RECORDS);
              assertThat(messages(it)).isEqualTo(1);
            }),
        row(
            "B69 an overflow keeps everything out, though records are free",
            it -> {
              faults(it, RECORDS + 1);
              clearAll(it);

              fault(it);

              assertThat(it.listing("faults")).isEmpty();
              assertThat(isSet(it, FaultStatus.PFO.mask())).isTrue();
            }),
        row(
            "B70 an overflow cleared before its records comes back",
            it -> {
              faults(it, RECORDS + 1);
              it.write(Register.FSTS, FaultStatus.PFO.mask());
              assertThat(isSet(it, FaultStatus.PFO.mask())).isFalse();

              fault(it);

              assertThat(isSet(it, FaultStatus.PFO.mask())).isTrue();
              assertThat(it.listing("faults")).hasSize(RECORDS);
            }),
        row(
            "B71 records cleared first, then the overflow: the log begins anew",
            it -> {
              it.write(Register.FECTL, 0);
              faults(it, RECORDS + 1);
              clearAll(it);
              it.write(Register.FSTS, FaultStatus.PFO.mask());

              fault(it);

              assertThat(it.record(0).isPending()).isTrue();
              assertThat(isSet(it, FaultStatus.PPF.mask())).isTrue();
              assertThat(FaultStatus.FRI.get(it.read(Register.FSTS))).isZero();
              assertThat(messages(it)).isEqualTo(2);
            }),
        row(
            "B72 records are used in turn, not wherever one is free",
            it -> {
              faults(it, 3);
              it.clearRecord(0);

              fault(it);

              assertThat(it.record(0).isPending()).isFalse();
              assertThat(it.record(3).isPending()).isTrue();
            }),
        row(
            "B73 the next record decides, though all others are free",
            it -> {
              faults(it, RECORDS);
              for (int index = 1; index < RECORDS; index++) {
                it.clearRecord(index);
              }

              fault(it);

              assertThat(isSet(it, FaultStatus.PFO.mask())).isTrue();
            }));
  }

  private static Stream<Row<BareUnit>> status() {
    return Stream.of(
        row(
            "B75 what is written one in the status is cleared, and pending is not",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              queue.submit(new InvalidationDescriptor(0, 0));
              faults(it, RECORDS + 1);
              queue.put(0, InvalidationDescriptor.allContexts());

              it.write(Register.FSTS, 0xffff_ffffL);

              assertThat(isSet(it, FaultStatus.PFO.mask() | FaultStatus.IQE.mask())).isFalse();
              assertThat(isSet(it, FaultStatus.PPF.mask())).isTrue();
            }),
        row(
            "B77 32 bits at +12 clear a record",
            it -> {
              fault(it);

              it.clearRecord(0);

              assertThat(it.record(0).isPending()).isFalse();
              assertThat(isSet(it, FaultStatus.PPF.mask())).isFalse();
            }),
        row(
            "B78 a zero clears nothing",
            it -> {
              fault(it);

              it.write32(it.capabilities().faultRecordOffset(0) + 12, 0);
              it.write64(it.capabilities().faultRecordOffset(0) + 8, 0);

              assertThat(it.record(0).isPending()).isTrue();
            }),
        row(
            "B79 a reset leaves the log as it is",
            it -> {
              faults(it, RECORDS + 1);
              FaultRecord first = it.record(0);

              it.reset();

              assertThat(it.record(0)).isEqualTo(first);
              assertThat(it.record(1).isPending()).isTrue();
              assertThat(isSet(it, FaultStatus.PPF.mask())).isTrue();
              assertThat(isSet(it, FaultStatus.PFO.mask())).isTrue();
              assertThat(it.read(Register.GSTS)).isZero();
            }),
        row(
            "1.7 status read back and written does no more than it says",
            it -> {
              faults(it, RECORDS + 1);

              it.write(Register.FSTS, it.read(Register.FSTS));

              assertThat(isSet(it, FaultStatus.PFO.mask())).isFalse();
              assertThat(it.listing("faults")).hasSize(RECORDS);
            }));
  }

  private static Stream<Row<BareUnit>> suppression() {
    return Stream.of(
        row(
            "B80 FPD keeps a missing permission out of the log",
            it -> {
              it.context(
                  X, new ContextEntry(ContextEntry.FPD.set(it.entry().lo()), it.entry().hi()));
              it.map(0x5000, it.newPage(), READ);

              UnitDma dma = it.dmaWrite(0x5000, 1);

              assertThat(dma.fault()).isEqualTo(5);
              assertThat(dma.recorded()).isFalse();
              assertThat(it.read(Register.FSTS)).isZero();
            }),
        row(
            "B81 FPD set behind the context cache's back is not seen",
            it -> {
              fault(it);
              it.context(
                  X, new ContextEntry(ContextEntry.FPD.set(it.entry().lo()), it.entry().hi()));

              assertThat(it.dmaRead(UNMAPPED, 4).recorded()).isTrue();
            }));
  }

  private static void fault(BareUnit it) {
    assertThat(it.dmaRead(UNMAPPED, 4).fault()).isEqualTo(6);
  }

  private static void faults(BareUnit it, int count) {
    for (int fault = 0; fault < count; fault++) {
      fault(it);
    }
  }

  private static void clearAll(BareUnit it) {
    for (int index = 0; index < RECORDS; index++) {
      it.clearRecord(index);
    }
  }

  private static boolean isSet(BareUnit it, long bits) {
    return (it.read(Register.FSTS) & bits) != 0;
  }

  private static long messages(BareUnit it) {
    return it.counter("/interrupts/events");
  }
}
