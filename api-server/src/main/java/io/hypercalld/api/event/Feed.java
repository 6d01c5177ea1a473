package io.hypercalld.api.event;

import java.nio.ByteBuffer;

/**
 * Bytes that come one after the other, perhaps without end. Asked by one thread at a time, which is
 * never the machine's.
 */
public interface Feed {
  /** What the bytes are. */
  String mediaType();

  /** What there is now. */
  Piece next();

  /** Whether what is to come next is lost if it is not asked for at once. */
  default boolean isUrgent() {
    return false;
  }

  /** Nobody asks any more. */
  default void close() {}

  /**
   * Some bytes; none where there is nothing yet.
   *
   * @param bytes read by whoever has a duplicate
   * @param last whether nothing follows
   */
  record Piece(ByteBuffer bytes, boolean last) {
    /** Nothing yet. */
    public static final Piece NOTHING = new Piece(ByteBuffer.allocate(0), false);

    /** Bytes that more may follow. */
    public static Piece of(byte[] bytes) {
      return new Piece(ByteBuffer.wrap(bytes), false);
    }

    /** The last bytes. */
    public static Piece last(byte[] bytes) {
      return new Piece(ByteBuffer.wrap(bytes), true);
    }
  }
}
