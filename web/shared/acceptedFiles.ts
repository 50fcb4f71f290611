/** Which files may be sent. */

/** What the file dialog offers. The server decides by the content. */
export const ACCEPTED_FILES =
  ".pdf,.docx,.xlsx,.pptx,.odt,.txt,.csv,.md,.log,.mp3,.m4a,.ogg,.wav,.webm,.mp4,audio/*,video/mp4,video/webm";
