/** Buttons that copy the command beside them. */

/** How long a button says that it has copied. */
const SAID_MS = 1500;

export function wireCopying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button.copy')) {
    const code = button.parentElement!.querySelector('code')!;
    button.hidden = false;
    button.addEventListener('click', () => void copy(code, button));
  }
}

async function copy(code: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const said = await put(code);
  button.textContent = said;
  setTimeout(() => {
    button.textContent = 'Copy';
  }, SAID_MS);
}

/** Where there is no clipboard, the text is selected, for the keyboard to copy. */
async function put(code: HTMLElement): Promise<string> {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return 'Copied';
  } catch {
    getSelection()?.selectAllChildren(code);
    return 'Selected';
  }
}
