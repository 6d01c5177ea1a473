package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.PageRequest;
import io.hypercalld.iommu.vtd.PageRequestFields;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Page requests, and the descriptors of 256 bits that only scalable mode has. */
final class PageRequestBehaviourTest {
  private static final long RING = 0x280_0000L;
  private static final int ENTRIES = 4096 / PageRequest.BYTES;
  private static final Capabilities CAPABILITIES =
      with(
          with(
              with(
                  with(
                      with(SimulatedUnit.MODEL, ExtendedCapabilityFields.SMTS, 1),
                      ExtendedCapabilityFields.SLTS,
                      1),
                  ExtendedCapabilityFields.DT,
                  1),
              ExtendedCapabilityFields.PASID,
              1),
          ExtendedCapabilityFields.PRS,
          1);

  private final SimulatedUnit it = SimulatedUnit.off(CAPABILITIES);
  private long context;

  private static Capabilities with(Capabilities base, BitField field, long value) {
    return new Capabilities(base.cap(), field.put(base.ecap(), value));
  }

  @BeforeEach
  void useScalableMode() {
    context = it.newTable();
    it.memory.writeWord(it.rootTable + X.bus() * 16L + 8, context | 1);
    long slot = context + (X.devfn() & 0x7f) * 32L;
    it.memory.writeWord(
        slot,
        it.newTable()
            | ScalableContextEntry.P.mask()
            | ScalableContextEntry.DTE.mask()
            | ScalableContextEntry.PRE.mask());
    it.unit.write64(Register.RTADDR.offset(), it.rootTable | RootTableAddress.TTM.of(1));
    it.unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SRTP));
    it.unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.TE));
    it.unit.write64(Register.PQA.offset(), PageRequestFields.ring(RING, 0));
    it.unit.write32(Register.PECTL.offset(), 0);
  }

  @AfterEach
  void close() {
    it.close();
  }

  private static PageRequest request(int group) {
    return new PageRequest(X, PasidPrefix.NONE, 0x5000, true, false, true, group);
  }

  private Map<Integer, Integer> responses() {
    return it.unit.endpoints().of(X).responses();
  }

  @Test
  void request_isQueuedAndSignalledOnce() {
    assertThat(it.unit.requestPage(request(7))).isTrue();
    assertThat(it.unit.requestPage(request(8))).isTrue();

    assertThat(it.memory.readWord(RING)).isEqualTo(0x0382_0001L);
    assertThat(it.memory.readWord(RING + 8)).isEqualTo(0x5000L | 7 << 3 | 0b101);
    assertThat(it.unit.read64(Register.PQT.offset())).isEqualTo(2 * PageRequest.BYTES);
    assertThat(it.unit.read32(Register.PRS.offset())).isEqualTo(1);
    assertThat(it.messages).hasSize(1);
    assertThat(responses()).isEmpty();
  }

  @Test
  void response_reachesTheDevice() {
    it.unit.requestPage(request(7));

    submit(InvalidationDescriptor.pageGroupResponse(X, PasidPrefix.NONE, 7, 1));

    assertThat(responses()).containsExactly(Map.entry(7, 1));
  }

  @Test
  void fullQueue_overflowsAndAnswersByItself() {
    for (int group = 0; group < ENTRIES - 1; group++) {
      assertThat(it.unit.requestPage(request(group))).isTrue();
    }

    assertThat(it.unit.requestPage(request(200))).isFalse();

    assertThat(it.unit.read32(Register.PRS.offset())).isEqualTo(3);
    assertThat(responses()).containsExactly(Map.entry(200, 0));
    assertThat(it.messages).hasSize(1);

    it.unit.write64(Register.PQH.offset(), it.unit.read64(Register.PQT.offset()));
    assertThat(it.unit.requestPage(request(201))).as("PRO keeps it closed").isFalse();
    it.unit.write32(Register.PRS.offset(), 3);
    assertThat(it.unit.requestPage(request(202))).isTrue();
    assertThat(it.messages).hasSize(2);
  }

  @Test
  void contextWithoutPre_isAFault() {
    long slot = context + (X.devfn() & 0x7f) * 32L;
    it.memory.writeWord(slot, ScalableContextEntry.PRE.clear(it.memory.readWord(slot)));

    assertThat(it.unit.requestPage(request(7))).isFalse();

    FaultRecord record = it.record(0);
    assertThat(record.reason()).contains(FaultReason.PAGE_REQUESTS_DISABLED);
    assertThat(FaultRecord.T2.isSet(record.hi())).isTrue();
    assertThat(responses()).containsExactly(Map.entry(7, 1));
  }

  @Test
  void legacyMode_hasNoPageRequests() {
    it.setRootPointer(it.rootTable);

    assertThat(it.unit.requestPage(request(7))).isFalse();

    assertThat(it.record(0).reason()).contains(FaultReason.PAGE_GROUP_IN_LEGACY_MODE);
  }

  private int submit(InvalidationDescriptor... descriptors) {
    long ring = it.newTable();
    it.command(GlobalCommand.QIE, false);
    it.unit.write64(
        Register.IQA.offset(),
        InvalidationQueueFields.DW.set(InvalidationQueueFields.ring(ring, 0)));
    it.command(GlobalCommand.QIE, true);
    for (int index = 0; index < descriptors.length; index++) {
      long at = ring + index * 32L;
      it.memory.writeWord(at, descriptors[index].lo());
      it.memory.writeWord(at + 8, descriptors[index].hi());
      it.memory.writeWord(at + 16, descriptors[index].more());
      it.memory.writeWord(at + 24, descriptors[index].most());
    }
    it.unit.write64(Register.IQT.offset(), descriptors.length * 32L);
    return InvalidationQueueFields.IQEI.getInt(it.unit.read64(Register.IQERCD.offset()));
  }

  @Test
  void wideDescriptors_areAllTaken() {
    int error =
        submit(
            InvalidationDescriptor.allContexts(),
            InvalidationDescriptor.pasidTranslations(5, 1),
            InvalidationDescriptor.pasidPages(5, 1, 0x5000, 0),
            InvalidationDescriptor.allPasids(),
            InvalidationDescriptor.domainPasids(5),
            InvalidationDescriptor.onePasid(5, 1),
            InvalidationDescriptor.devicePasidTranslations(X, 1, 0x5000, 0),
            InvalidationDescriptor.waitWithStatus(0x300_0000L, 0x77));

    assertThat(error).isZero();
    assertThat(it.memory.readInt(0x300_0000L)).isEqualTo(0x77);
    assertThat(it.unit.read64(Register.IQH.offset())).isEqualTo(8 * 32);
  }

  @ParameterizedTest
  @CsvSource({"0x26, 4", "0x07, 0", "0x27, 4", "0x206, 4", "0x16, 4"})
  void pasidDescriptors_ofReservedForm_areErrors(long lo, int error) {
    assertThat(submit(new InvalidationDescriptor(lo | (lo == 0x26 ? 1L << 52 : 0), 0)))
        .isEqualTo(error);
  }

  @Test
  void upperHalf_mustBeZero() {
    assertThat(
            submit(new InvalidationDescriptor(InvalidationDescriptor.allContexts().lo(), 0, 1, 0)))
        .isEqualTo(4);
  }

  @Test
  void pasidDescriptor_inLegacyMode_isAnErrorOfItsOwn() {
    it.setRootPointer(it.rootTable);

    assertThat(submit(InvalidationDescriptor.allPasids())).isEqualTo(7);
  }

  @Test
  void pasidDescriptor_of128Bits_isAnErrorOfItsOwn() {
    QueueSoftware queue = new QueueSoftware(it, 0);

    queue.submit(InvalidationDescriptor.allPasids());

    assertThat(queue.error()).isEqualTo(5);
  }

  @Test
  void tailInsideADescriptor_isMisaligned() {
    submit();
    it.unit.write64(Register.IQT.offset(), 0x10);

    assertThat(InvalidationQueueFields.IQEI.get(it.unit.read64(Register.IQERCD.offset())))
        .isEqualTo(6);
  }
}
