/** Which files can be sent as images. */

const IMAGE_NAME = /\.(?:png|jpe?g|gif|webp|hei[cf]s?|avif|tiff?|bmp)$/i;

/** The image among files that somebody chose, pasted or dropped. A phone may give a photo a name and no type. */
export const findImageFile = (files: FileList | null | undefined): File | undefined =>
  [...(files ?? [])].find((file) =>
    file.type ? file.type.startsWith("image/") : IMAGE_NAME.test(file.name),
  );
