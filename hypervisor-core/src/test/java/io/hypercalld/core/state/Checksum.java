package io.hypercalld.core.state;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.zip.CRC32C;

/** Tells states apart fast, against chance and not against malice: CRC-32C. */
final class Checksum extends MessageDigest {
  private final CRC32C crc = new CRC32C();

  Checksum() {
    super("CRC-32C");
  }

  @Override
  protected void engineUpdate(byte input) {
    crc.update(input);
  }

  @Override
  protected void engineUpdate(byte[] input, int offset, int length) {
    crc.update(input, offset, length);
  }

  @Override
  protected void engineUpdate(ByteBuffer input) {
    crc.update(input);
  }

  @Override
  protected byte[] engineDigest() {
    byte[] value = ByteBuffer.allocate(Long.BYTES).putLong(crc.getValue()).array();
    engineReset();
    return value;
  }

  @Override
  protected void engineReset() {
    crc.reset();
  }
}
