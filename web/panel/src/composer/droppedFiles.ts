/** Files that are dropped on the page: the composer takes them, wherever they land, and the browser never opens them. */
import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;

/** Keeps the browser from leaving the panel for a dropped file. Returns a function that ends that. */
export function ignoreDroppedFiles(): () => void {
  const ignore = (event: DragEvent) => {
    if (hasFiles(event)) event.preventDefault();
  };
  addEventListener("dragover", ignore);
  addEventListener("drop", ignore);
  return () => {
    removeEventListener("dragover", ignore);
    removeEventListener("drop", ignore);
  };
}

/** Calls `onFiles` with files that are dropped anywhere in the window; `dragging` says whether some are over it. */
export function useDroppedFiles(dragging: Signal<boolean>, onFiles: (files: FileList) => void): void {
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    const onDragOver = (event: DragEvent) => {
      dragging.value = hasFiles(event);
    };
    const onDragLeave = (event: DragEvent) => {
      // Without a related target the pointer has left the window.
      if (!event.relatedTarget) dragging.value = false;
    };
    const onDrop = (event: DragEvent) => {
      dragging.value = false;
      const files = event.dataTransfer?.files;
      if (hasFiles(event) && files) latest.current(files);
    };
    addEventListener("dragover", onDragOver);
    addEventListener("dragleave", onDragLeave);
    addEventListener("drop", onDrop);
    return () => {
      dragging.value = false;
      removeEventListener("dragover", onDragOver);
      removeEventListener("dragleave", onDragLeave);
      removeEventListener("drop", onDrop);
    };
  }, []);
}
