// What a person does for thumbnails on the sessions page, and what is to be seen of them.

export async function giveKey(page, key, passphrase = '') {
  await page.getByRole('button', { name: 'Thumbnails …' }).click();
  await page.getByLabel('Key file', { exact: true }).fill(key);
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Show thumbnails' }).click();
}

export const thumbnailOf = (page, title) => page.locator('tr', { hasText: title }).locator('.thumbnail');

/** Waits for the picture of a recording; answers its size, and how many colours are in it. */
export async function pictureOf(page, title) {
  const picture = thumbnailOf(page, title).locator('img');
  await picture.waitFor();
  return picture.evaluate(async (image) => {
    await image.decode();
    const { naturalWidth: width, naturalHeight: height, alt } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    return { width, height, alt, colours: new Set(pixels).size };
  });
}
