package io.hypercalld.iommu.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import org.junit.jupiter.api.Test;

/** Words whose value is known from outside: spec/vtd.md 7.1. */
final class EncodingVectorsTest {
  private static final SourceId X = new SourceId(0x0382);

  @Test
  void v1_rootAndContextEntries_haveTheKnownWords() {
    assertThat(RootEntry.to(0x1234_5000L)).isEqualTo(new RootEntry(0x1234_5001L, 0));
    assertThat(ContextEntry.translating(0xabc_d000L, AddressWidth.BITS_48, 5))
        .isEqualTo(new ContextEntry(0xabc_d001L, 0x502));
    assertThat(ContextEntry.translating(0xabc_d000L, AddressWidth.BITS_39, 5).hi())
        .isEqualTo(0x501);
  }

  @Test
  void v2_dmaFaultRecords_haveTheKnownWords() {
    FaultRecord write =
        FaultRecord.dma(X, 0x1_2345_6789L, DmaAccess.WRITE, FaultReason.WRITE_NOT_PERMITTED);
    FaultRecord read =
        FaultRecord.dma(X, 0x1_2345_6789L, DmaAccess.READ, FaultReason.READ_NOT_PERMITTED);

    assertThat(write).isEqualTo(new FaultRecord(0x1_2345_6000L, 0x8000_0005_0000_0382L));
    assertThat(read.hi()).isEqualTo(0xc000_0006_0000_0382L);
    assertThat(read.isRead()).isTrue();
    assertThat(write.isRead()).isFalse();
  }

  @Test
  void v3_interruptFaultRecord_hasTheKnownWords() {
    FaultRecord record =
        FaultRecord.interrupt(new SourceId(0xf8), 0x123, FaultReason.INTERRUPT_ENTRY_NOT_PRESENT);

    assertThat(record).isEqualTo(new FaultRecord(0x0123_0000_0000_0000L, 0x8000_0022_0000_00f8L));
    assertThat(record.interruptIndex()).isEqualTo(0x123);
  }

  @Test
  void v4_registerCommands_haveTheKnownWords() {
    assertThat(ContextCommand.device(5, X, 0)).isEqualTo(0xe000_0000_0382_0005L);
    assertThat(IotlbCommand.pages(5)).isEqualTo(0xb003_0005_0000_0000L);
    assertThat(IotlbCommand.address(0x20_0000L, 9, false)).isEqualTo(0x0020_0009L);
  }

  @Test
  void v5_descriptors_haveTheKnownWords() {
    assertThat(InvalidationDescriptor.deviceContexts(5, X, 0))
        .isEqualTo(new InvalidationDescriptor(0x0382_0005_0031L, 0));
    assertThat(InvalidationDescriptor.pageTranslations(5, 0x20_0000L, 9, false))
        .isEqualTo(new InvalidationDescriptor(0x5_00f2L, 0x20_0009L));
    assertThat(InvalidationDescriptor.interrupts(0x123, 0).lo()).isEqualTo(0x123_0000_0014L);
    assertThat(InvalidationDescriptor.waitWithStatus(0x1000, 1))
        .isEqualTo(new InvalidationDescriptor(0x1_0000_0065L, 0x1000));
  }

  @Test
  void v6_deviceTlbDescriptors_codeTheSizeInTheAddress() {
    assertThat(InvalidationDescriptor.deviceTranslations(X, 0x20_0000L, 9).hi())
        .isEqualTo(0x2f_f001L);
    assertThat(InvalidationDescriptor.deviceTranslations(X, 0, 52).hi())
        .isEqualTo(0x7fff_ffff_ffff_f001L);
    assertThat(InvalidationDescriptor.deviceTranslations(X, 0x5000, 0).hi()).isEqualTo(0x5000);
  }

  @Test
  void v7_remappableMessageAndIoApicEntry_haveTheKnownWords() {
    RemappableMessage message = RemappableMessage.of(0x8005, 0);
    IoApicEntry entry = IoApicEntry.remappable(0x8005, 0x31, false);

    assertThat(message).isEqualTo(new RemappableMessage(0xfee0_00bcL, 0));
    assertThat(message.index()).isEqualTo(0x8005);
    assertThat(entry.value()).isEqualTo(0x000b_0000_0000_0831L);
    assertThat(entry.index()).isEqualTo(0x8005);
    assertThat(entry.message().index()).isEqualTo(0x8005);
  }

  @Test
  void v8_interruptEntry_hasTheKnownWords() {
    InterruptEntry entry =
        InterruptEntry.remapped(InterruptMessage.fixed(0x41, 3), false).from(X, 0);

    assertThat(entry).isEqualTo(new InterruptEntry(0x0300_0041_0001L, 0x4_0382L));
    assertThat(entry.message(false)).isEqualTo(InterruptMessage.fixed(0x41, 3));
  }

  @Test
  void v9_postedInterruptEntry_hasTheKnownWords() {
    InterruptEntry entry = InterruptEntry.posted(0x1_2345_6780L, 0x41, false).from(X, 0);

    assertThat(entry).isEqualTo(new InterruptEntry(0x2345_6780_0041_8001L, 0x1_0004_0382L));
    assertThat(entry.descriptor()).isEqualTo(0x1_2345_6780L);
  }
}
