package io.hypercalld.api.journal;

import io.hypercalld.api.event.Feed;
import io.hypercalld.api.machine.Journal;
import io.hypercalld.api.machine.Machine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** A machine's journal, written while it is sent. Asked by one thread at a time. */
public final class JournalFeed implements Feed {
  private static final int PIECE_BYTES = 1 << 14;

  private final JournalText text;
  private final byte[] header;
  private final Iterator<Journal.Entry> entries;
  private final String digest;
  private final boolean compressed;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final OutputStream lines;
  private long written;
  private boolean begun;

  /**
   * What has been executed until now; to be called on the machine's thread.
   *
   * @param compressed whether by gzip
   * @throws io.hypercalld.core.errno.Refusal ENOSPC as {@link Journal#entries}
   */
  public JournalFeed(Machine machine, boolean compressed) {
    this.text = new JournalText(machine.catalogue());
    this.header = JournalText.header(machine.platform());
    this.entries =
        machine.journal().entries().stream().<Journal.Entry>flatMap(List::stream).iterator();
    this.digest = machine.digest();
    this.compressed = compressed;
    try {
      this.lines = compressed ? new GZIPOutputStream(bytes) : bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String mediaType() {
    return compressed ? "application/gzip" : "application/x-ndjson";
  }

  @Override
  public Piece next() {
    try {
      while (bytes.size() < PIECE_BYTES) {
        if (!begun) {
          begun = true;
          write(header);
        } else if (entries.hasNext()) {
          written++;
          write(text.line(written, entries.next()));
        } else {
          write(JournalText.trailer(written, digest));
          lines.close();
          return Piece.last(bytes.toByteArray());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    byte[] piece = bytes.toByteArray();
    bytes.reset();
    return Piece.of(piece);
  }

  private void write(byte[] line) throws IOException {
    lines.write(line);
    lines.write('\n');
  }
}
